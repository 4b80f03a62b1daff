// How the big screen draws: options for ECharts, with colours of their own for a dark wall. Pure: from figures to options.
(function () {
  "use strict";

  var INK = "#eaf6ff", SOFT = "#9fc3dc", LINE = "rgba(159, 195, 220, 0.22)";
  var COLOURS = ["#2fd3c2", "#4fa8ff", "#ffc45c", "#ff7d6b", "#b48cff", "#7fe08a", "#5fd0ff", "#ff9fd0", "#d6e36b", "#9fb4c8"];
  var FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", system-ui, sans-serif';

  function rem(size) {
    return size * parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  function text(size, colour) {
    return { fontSize: rem(size), color: colour || SOFT, fontFamily: FONT };
  }

  function tip() {
    // Drawn on the canvas: markup with styles in it would not pass the page's policy.
    return {
      renderMode: "richText", confine: true, backgroundColor: "#0b2740", borderColor: "#2f6f9f",
      textStyle: text(0.9, INK),
    };
  }

  function base(more) {
    return Object.assign({ color: COLOURS, textStyle: text(0.85), animationDuration: 500, tooltip: tip() }, more);
  }

  function category(names, more) {
    return Object.assign({
      type: "category", data: names, axisLine: { lineStyle: { color: LINE } }, axisTick: { show: false },
      axisLabel: text(0.85),
    }, more);
  }

  function value(more) {
    return Object.assign({
      type: "value", minInterval: 1, axisLabel: text(0.8), splitLine: { lineStyle: { color: LINE } },
      nameTextStyle: text(0.8),
    }, more);
  }

  function legend(more) {
    return Object.assign({
      top: 0, right: 0, itemWidth: rem(0.9), itemHeight: rem(0.55), textStyle: text(0.85), type: "scroll",
      pageIconColor: SOFT, pageTextStyle: text(0.8),
    }, more);
  }

  function short(name, most) {
    return name.length > most ? name.slice(0, most - 1) + "…" : name;
  }

  // In the middle of a ring, whose own labels would each be drawn there.
  function middle(words, below, left) {
    return {
      text: words, subtext: below, left: left, top: "center", textAlign: "center", itemGap: rem(0.15),
      textStyle: Object.assign(text(1.35, INK), { fontWeight: 700 }), subtextStyle: text(0.85),
    };
  }

  // Steps as bars about one axis; each tells what part of the step before came this far.
  function funnel(steps, said) {
    var most = Math.max.apply(null, steps.map(function (step) { return step.n; }).concat([1]));
    return base({
      grid: { left: rem(4.8), right: rem(8.2), top: rem(0.1), bottom: rem(0.1) },
      tooltip: { show: false },
      xAxis: { type: "value", show: false, min: 0, max: most },
      yAxis: category(steps.map(function (step) { return step.name; }), {
        inverse: true, axisLine: { show: false }, axisLabel: text(0.9, INK),
      }),
      series: [
        {
          type: "bar", stack: "step", silent: true, itemStyle: { color: "transparent" },
          data: steps.map(function (step) { return (most - step.n) / 2; }), barWidth: "72%",
        },
        {
          type: "bar", stack: "step",
          data: steps.map(function (step, place) {
            return { value: step.n, itemStyle: { color: COLOURS[[0, 0, 6, 6, 2, 1, 1][place] || 0], opacity: 1 - place * 0.05, borderRadius: rem(0.2) } };
          }),
        },
        {
          type: "bar", stack: "step", silent: true, itemStyle: { color: "transparent" },
          data: steps.map(function (step) { return (most - step.n) / 2; }),
          label: {
            show: true, position: "right", distance: rem(0.2),
            formatter: function (at) { return "{n|" + said.number(steps[at.dataIndex].n) + "}{r|" + steps[at.dataIndex].rate + "}"; },
            rich: {
              n: Object.assign(text(0.95, INK), { fontWeight: 600 }),
              r: Object.assign(text(0.8), { padding: [0, 0, 0, rem(0.3)] }),
            },
          },
        },
      ],
    });
  }

  function lines(days, kinds) {
    return base({
      legend: legend(),
      tooltip: Object.assign(tip(), { trigger: "axis" }),
      grid: { left: rem(0.3), right: rem(0.3), top: rem(2), bottom: rem(0.1), containLabel: true },
      xAxis: category(days.map(function (day) { return day.slice(5).replace("-", "/"); }), { boundaryGap: false }),
      // Straight from day to day: a curve would show figures that no day had. The right axis has its lines' colour.
      yAxis: kinds.some(function (kind) { return kind.right; })
        ? [value(), value({ splitLine: { show: false }, axisLabel: text(0.8, COLOURS[2]) })] : value(),
      series: kinds.map(function (kind) {
        return {
          name: kind.name, type: "line", showSymbol: days.length < 15, symbol: "circle", symbolSize: rem(0.4),
          yAxisIndex: kind.right ? 1 : 0, data: kind.data, lineStyle: { width: rem(0.16), color: COLOURS[kind.colour], type: kind.right ? [rem(0.4), rem(0.2)] : "solid" },
          itemStyle: { color: COLOURS[kind.colour] }, areaStyle: { opacity: kind.right ? 0 : 0.12, color: COLOURS[kind.colour] },
        };
      }),
    });
  }

  function ring(parts, said) {
    var shown = parts.filter(function (part) { return part.n > 0; });
    var total = shown.reduce(function (sum, part) { return sum + part.n; }, 0);
    return base({
      title: middle(said.number(total), said.total, "23%"),
      tooltip: Object.assign(tip(), { formatter: function (at) { return at.name + "  " + said.number(at.value) + "  " + at.percent + "%"; } }),
      legend: {
        orient: "vertical", left: "48%", top: "middle", type: "scroll", itemWidth: rem(0.7), itemHeight: rem(0.7),
        itemGap: rem(0.35), textStyle: text(0.88, INK), pageIconColor: SOFT, pageTextStyle: text(0.8),
        formatter: function (name) {
          var part = shown.filter(function (one) { return one.name === name; })[0];
          return short(name, said.zh ? 9 : 16) + "  " + said.percent(part.n / total);
        },
      },
      series: [{
        type: "pie", radius: ["46%", "68%"], center: ["23.5%", "50%"], itemStyle: { borderColor: "#0b2740", borderWidth: 2 },
        data: shown.map(function (part) { return { name: part.name, value: part.n }; }),
        label: { show: false },
        emphasis: { scale: false }, labelLine: { show: false },
      }],
    });
  }

  // Bars that lie; `kinds` are stacked one behind the other.
  function bars(names, kinds, more) {
    return base({
      legend: kinds.length > 1 ? legend() : { show: false },
      tooltip: Object.assign(tip(), { trigger: "axis", axisPointer: { type: "shadow" } }),
      grid: { left: rem(0.2), right: rem(more.room || 1), top: kinds.length > 1 ? rem(1.8) : rem(0.1), bottom: 0, containLabel: true },
      xAxis: value({ axisLabel: { show: false }, splitLine: { show: false }, minInterval: 0 }),
      yAxis: category(names.map(function (name) { return short(name, more.letters || 9); }), {
        inverse: true, axisLine: { show: false }, axisLabel: text(0.88, INK),
      }),
      series: kinds.map(function (kind, place) {
        return {
          name: kind.name, type: "bar", stack: "all", barMaxWidth: rem(1.1), data: kind.data,
          itemStyle: { color: COLOURS[kind.colour] },
          label: place === kinds.length - 1 ? {
            show: true, position: "right", formatter: function (at) { return more.labels[at.dataIndex]; }, fontSize: rem(0.88),
            color: INK, fontFamily: FONT,
          } : { show: false },
        };
      }),
    });
  }

  function target(parts, said) {
    var done = Math.min(100, parts.share * 100);
    return base({
      title: middle(said.percent(parts.share), parts.caption, "17.5%"),
      legend: legend({ data: [parts.name] }),
      tooltip: Object.assign(tip(), { trigger: "axis" }),
      grid: { left: "40%", right: rem(0.3), top: rem(2), bottom: rem(0.1), containLabel: true },
      xAxis: category(parts.days.map(function (day) { return day.slice(5).replace("-", "/"); })),
      yAxis: value(),
      series: [
        {
          type: "pie", radius: ["56%", "78%"], center: ["18%", "50%"], silent: true, startAngle: 90, tooltip: { show: false },
          data: [
            { value: done, itemStyle: { color: COLOURS[1], borderRadius: rem(0.3) } },
            { value: 100 - done, itemStyle: { color: "rgba(159, 195, 220, 0.16)" } },
          ],
          label: { show: false },
          labelLine: { show: false },
        },
        { name: parts.name, type: "bar", data: parts.data, barMaxWidth: rem(0.9), itemStyle: { color: COLOURS[1], borderRadius: [rem(0.2), rem(0.2), 0, 0] } },
      ],
    });
  }

  window.screenCharts = { funnel: funnel, lines: lines, ring: ring, bars: bars, target: target };
})();
