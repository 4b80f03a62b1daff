/* The groups of the menu stay as they were left, from page to page; the group of the page itself is open. */
(function () {
  "use strict";
  var KEY = "hv-menu-open";

  function kept() {
    try {
      return JSON.parse(localStorage.getItem(KEY) || "[]");
    } catch (_) {
      return [];
    }
  }

  var folds = Array.prototype.slice.call(document.querySelectorAll("details[data-group]"));
  var open = kept();
  folds.forEach(function (fold) {
    if (open.indexOf(fold.dataset.group) >= 0) fold.open = true;
    fold.querySelector("summary").addEventListener("click", function () {
      // The fold itself opens or closes after this.
      var left = kept().filter(function (group) {
        return group !== fold.dataset.group;
      });
      if (!fold.open) left.push(fold.dataset.group);
      try {
        localStorage.setItem(KEY, JSON.stringify(left));
      } catch (_) {
        /* Without storage the menu forgets. */
      }
    });
  });
})();
