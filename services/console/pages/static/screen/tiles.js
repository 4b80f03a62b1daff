// A schematic map: one tile for each county, where it lies among its neighbours. No borders, no distances.
(function () {
  "use strict";

  var SVG = "http://www.w3.org/2000/svg";
  var WIDTH = 96, HEIGHT = 50, GAP = 4;
  // A prefecture's counties by (column, row). A campaign is shown on the map that knows all of its counties.
  var MAPS = [
    {
      columns: 5, rows: 4,
      places: {
        "弥勒市": [2, 0], "泸西县": [3, 0],
        "石屏县": [0, 1], "建水县": [1, 1], "开远市": [2, 1],
        "红河县": [0, 2], "元阳县": [1, 2], "个旧市": [2, 2], "蒙自市": [3, 2],
        "绿春县": [0, 3], "金平县": [2, 3], "屏边县": [3, 3], "河口县": [4, 3],
      },
    },
  ];

  function mapOf(names) {
    return MAPS.filter(function (map) { return names.every(function (name) { return map.places[name]; }); })[0];
  }

  function part(parent, kind, attributes, words) {
    var made = parent.appendChild(document.createElementNS(SVG, kind));
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (words !== undefined) { made.textContent = words; }
    return made;
  }

  function tile(svg, map, name, told) {
    var place = map.places[name], x = place[0] * (WIDTH + GAP), y = place[1] * (HEIGHT + GAP);
    var group = part(svg, "g", { "class": told ? "county" : "county none" });
    part(group, "title", {}, told ? told.title : name);
    part(group, "rect", { x: x, y: y, width: WIDTH, height: HEIGHT, rx: 5, "class": "ground" });
    // The brighter the more: from nothing to the county with most, in proportion.
    part(group, "rect", { x: x, y: y, width: WIDTH, height: HEIGHT, rx: 5, "class": "fill", "fill-opacity": told ? told.share * 0.85 : 0 });
    part(group, "text", { x: x + 7, y: y + 21, "class": "county-name" }, name);
    part(group, "text", { x: x + WIDTH - 7, y: y + 22, "class": "county-count", "text-anchor": "end" }, told ? told.count : "–");
    part(group, "text", { x: x + 7, y: y + 40, "class": "county-more" }, told ? told.more : "");
  }

  // `counties`: {name, count, more, title, share} each. Returns the picture, or null when no map knows them all.
  function draw(counties, label) {
    var map = mapOf(counties.map(function (county) { return county.name; }));
    if (!map) { return null; }
    var svg = document.createElementNS(SVG, "svg"), told = {};
    svg.setAttribute("class", "tiles-map");
    svg.setAttribute("viewBox", "0 0 " + (map.columns * (WIDTH + GAP) - GAP) + " " + (map.rows * (HEIGHT + GAP) - GAP));
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
    counties.forEach(function (county) { told[county.name] = county; });
    Object.keys(map.places).forEach(function (name) { tile(svg, map, name, told[name]); });
    return svg;
  }

  window.screenTiles = { draw: draw };
})();
