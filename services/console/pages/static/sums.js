/* Adds up the numbers of a group while they are typed, and says whether they come to what they must. */
(function () {
  "use strict";
  function parts(text) {
    /* In millionths, because 0.1 + 0.2 is not 0.3 in binary. */
    var number = Number(String(text).replace("%", "").trim());
    return isFinite(number) ? Math.round(number * 1e6) : 0;
  }
  document.querySelectorAll("[data-sum]").forEach(function (group) {
    var line = group.querySelector("[data-sum-line]");
    var wanted = parts(group.getAttribute("data-sum"));
    group.addEventListener("input", function () {
      var total = 0;
      group.querySelectorAll("input").forEach(function (field) { total += parts(field.value); });
      line.querySelector("output").textContent = String(total / 1e6);
      line.classList.toggle("fits", total === wanted);
      line.classList.toggle("fails", total !== wanted);
    });
  });
})();
