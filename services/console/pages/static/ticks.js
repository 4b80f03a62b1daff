/* Rows of a table that are chosen together: all at once by the box in the head, and how many are. */
(function () {
  "use strict";
  function boxes(name) {
    return Array.prototype.slice.call(document.querySelectorAll('input[type=checkbox][name="' + name + '"]'));
  }
  function count(name) {
    var shown = document.querySelector('[data-tick-count="' + name + '"]');
    if (shown) shown.textContent = String(boxes(name).filter(function (box) { return box.checked; }).length);
  }
  document.querySelectorAll("[data-tick-all]").forEach(function (all) {
    var name = all.getAttribute("data-tick-all");
    all.addEventListener("change", function () {
      boxes(name).forEach(function (box) { box.checked = all.checked; });
      count(name);
    });
    boxes(name).forEach(function (box) { box.addEventListener("change", function () { count(name); }); });
    count(name);
  });
})();
