/* Reviews by keyboard: J and K go on and back, A accepts, R leads to the reason of a rejection, which Enter
   sends and Escape leaves. */
(function () {
  "use strict";
  var items = Array.prototype.slice.call(document.querySelectorAll("[data-review]"));
  var here = -1;

  function go(place) {
    if (items.length === 0) return;
    here = Math.max(0, Math.min(items.length - 1, place));
    items[here].focus();
    items[here].scrollIntoView({ block: "nearest" });
  }

  items.forEach(function (item) {
    var note = item.querySelector("[name=note]");
    if (!note) return;
    note.addEventListener("keydown", function (event) {
      /* Else Enter would press whatever button stands first. */
      if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        if (note.hasAttribute("data-rejecting")) item.querySelector("[value=reject]").click();
      } else if (event.key === "Escape") {
        note.removeAttribute("data-rejecting");
        item.focus();
      }
    });
  });

  document.addEventListener("keydown", function (event) {
    var busy = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (busy || event.ctrlKey || event.metaKey || event.altKey) return;
    var key = event.key.toLowerCase();
    if (key === "j") go(here + 1);
    else if (key === "k") go(here - 1);
    else if (here >= 0 && key === "a") {
      var accept = items[here].querySelector("[value=accept]");
      if (accept) accept.click();
    } else if (here >= 0 && key === "r") {
      var note = items[here].querySelector("[name=note]");
      if (note) {
        event.preventDefault();
        note.setAttribute("data-rejecting", "");
        note.focus();
      }
    }
  });
})();
