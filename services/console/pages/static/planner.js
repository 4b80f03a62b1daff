/* A slider and its number say the same; the number is what is sent. */
(function () {
  "use strict";
  document.querySelectorAll("[data-slider]").forEach(function (pair) {
    var range = pair.querySelector("[data-range]");
    var number = pair.querySelector("[data-number]");
    range.addEventListener("input", function () {
      number.value = range.value;
    });
    number.addEventListener("input", function () {
      if (number.value !== "") range.value = number.value;
    });
  });
})();
