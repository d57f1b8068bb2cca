"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const charts = read("charts");
  const pictures = read("pictures");
  const known = read("words");
  // A sentence in the language of the page, with its parts filled in.
  const say = (sentence, parts = {}) => (known[sentence] ?? sentence).replace(/\{(\w)\}/g, (_, part) => parts[part]);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  // So far on the way from one colour to another.
  const mix = (from, to, share) => {
    const [a, b] = [channels(color(from)), channels(color(to))];
    return "#" + a.map((v, i) => Math.round(v + (b[i] - v) * share).toString(16).padStart(2, "0")).join("");
  };
  const light = (hex) => channels(hex).map((v) => ((v / 255) ** 2.2)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  // The one of ink and paper that is to be read on a colour.
  const readable = (hex) => {
    const apart = (name) => { const [a, b] = [light(color(name)), light(hex)]; return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
    return color(apart("ink") > apart("paper") ? "ink" : "paper");
  };
  const percent = (share) => (100 * share).toFixed(1) + "%";
  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const show = (image) => {
    const source = pictures[image.dataset.picture];
    if (source) image.src = source;
    else image.replaceWith(element("span", { className: "note", textContent: say("no picture") }));
  };
  document.querySelectorAll("img[data-picture]").forEach(show);

  // Names are text, never markup: tooltips are built of elements.
  const told = (...lines) => {
    const box = element("div", {});
    lines.forEach((line) => box.append(element("div", { textContent: line })));
    return box;
  };
  const shell = () => ({
    animation: false,
    textStyle: { color: color("ink"), fontFamily: getComputedStyle(document.body).fontFamily },
    color: ["one", "two", "three", "four"].map(color),
    tooltip: { confine: true, backgroundColor: color("paper"), borderColor: color("line"), textStyle: { color: color("ink") } },
  });
  const axis = (name, more) => ({
    name, nameLocation: "middle", nameGap: 30, nameTextStyle: { color: color("soft") },
    axisLine: { lineStyle: { color: color("line") } }, axisLabel: { color: color("soft") },
    splitLine: { lineStyle: { color: color("line") } }, ...more,
  });
  const short = (name, most) => (name.length > most ? name.slice(0, most - 1) + "…" : name);

  // Round shares on axes have no decimals.
  const tick = (show) => (v) => show(v).replace(/\.0%$/, "%");
  const value = (unit) => (v) => (unit === "share" ? percent(v) : String(Math.round(v * 1e6) / 1e6));

  const dashes = ["solid", "dashed", "dotted"];

  const curve = (data) => {
    const [x, y] = [value(data.x.unit), value(data.y.unit)];
    return {
      ...shell(),
      tooltip: {
        ...shell().tooltip, trigger: "axis",
        formatter: (points) => told(data.x.name + " " + x(points[0].value[0]), ...points.map((p) => p.seriesName + ": " + y(p.value[1]))),
      },
      legend: { top: 0, textStyle: { color: color("ink") }, type: "scroll" },
      grid: { left: 64, right: 24, top: 40, bottom: 48 },
      xAxis: axis(data.x.name, { type: data.x.logarithmic ? "log" : "value", min: "dataMin", max: "dataMax", minInterval: data.x.unit === "number" && !data.x.logarithmic ? 1 : 0, axisLabel: { color: color("soft"), hideOverlap: true, formatter: tick(x) } }),
      yAxis: axis(data.y.name, { type: data.y.logarithmic ? "log" : "value", scale: true, nameGap: 48, axisLabel: { color: color("soft"), formatter: tick(y) } }),
      series: data.series.map((s, i) => ({
        type: "line", name: s.name, data: s.points, symbolSize: 5, showSymbol: s.points.length < 60,
        lineStyle: { type: dashes[i % 3] },
      })),
    };
  };

  const scatter = (data) => {
    const [x, y] = [value(data.x.unit), value(data.y.unit)];
    // A name stands beside its point, on the side where there is more room.
    const at = data.points.map((p) => p[1]);
    const middle = (Math.min(...at) + Math.max(...at)) / 2;
    const side = (v) => (v > middle ? "left" : "right");
    return {
      ...shell(),
      tooltip: { ...shell().tooltip, formatter: (p) => told(p.value[2], data.x.name + ": " + x(p.value[0]), data.y.name + ": " + y(p.value[1])) },
      grid: { left: 64, right: 24, top: 16, bottom: 48 },
      xAxis: axis(data.x.name, { type: data.x.logarithmic ? "log" : "value", scale: true, axisLabel: { color: color("soft"), formatter: tick(x) } }),
      yAxis: axis(data.y.name, { type: "value", nameGap: 48, min: data.y.unit === "share" ? 0 : null, max: data.y.unit === "share" ? 1 : null, axisLabel: { color: color("soft"), formatter: tick(y) } }),
      series: [{
        type: "scatter", symbolSize: 9, data: data.points.map(([name, a, b]) => ({ value: [a, b, name], label: { position: side(a) } })),
        label: { show: data.points.length <= 40, color: color("soft"), fontSize: 11, formatter: (p) => short(p.value[2], 14) },
        labelLayout: { hideOverlap: true },
      }],
    };
  };

  const parallel = (data) => {
    const last = data.axes.length - 1;
    const ends = data.lines.map((l) => l[1][last]);
    return {
      ...shell(),
      tooltip: { ...shell().tooltip, formatter: (p) => told(...data.axes.map(([name, unit, words], i) => name + ": " + (words.length ? words[p.value[i]] : value(unit)(p.value[i])))) },
      parallel: { left: 48, right: 64, top: 48, bottom: 24, parallelAxisDefault: { nameTextStyle: { color: color("soft") }, axisLine: { lineStyle: { color: color("soft") } }, axisLabel: { color: color("soft") } } },
      parallelAxis: data.axes.map(([name, unit, words], dim) => ({
        dim, name: short(name, 22), ...(words.length ? { type: "category", data: words } : { type: "value", scale: true, axisLabel: { color: color("soft"), formatter: tick(value(unit)) } }),
      })),
      visualMap: { show: false, dimension: last, min: Math.min(...ends), max: Math.max(...ends), inRange: { color: [color("two"), color("one")] } },
      series: [{ type: "parallel", smooth: false, lineStyle: { width: 1.6, opacity: 0.75 }, data: data.lines.map((l) => l[1]) }],
    };
  };

  const timeline = (data) => {
    const rows = data.spans;
    const end = Math.max(...rows.map((r) => r[2]));
    const [unit, size] = end < 120 ? ["seconds", 1] : end < 7200 ? ["minutes", 60] : ["hours", 3600];
    return {
      ...shell(),
      tooltip: { ...shell().tooltip, formatter: (p) => told(rows[p.dataIndex][0], say("{n} " + unit, { n: ((rows[p.dataIndex][2] - rows[p.dataIndex][1]) / size).toFixed(1) })) },
      grid: { left: 8, right: 24, top: 8, bottom: 40, containLabel: true },
      xAxis: axis(say(unit + " without pauses"), { type: "value" }),
      yAxis: axis("", { type: "category", inverse: true, data: rows.map((r) => short(r[0], 28)), axisLabel: { color: color("ink"), interval: 0, fontSize: 11 } }),
      series: [{
        type: "custom", encode: { x: [1, 2], y: 0 }, data: rows.map((r, i) => [i, r[1] / size, r[2] / size]),
        renderItem: (_, api) => {
          const [from, to] = [api.coord([api.value(1), api.value(0)]), api.coord([api.value(2), api.value(0)])];
          return { type: "rect", shape: { x: from[0], y: from[1] - 5, width: Math.max(to[0] - from[0], 2), height: 10 }, style: { fill: color("one") } };
        },
      }],
    };
  };

  const bars = (data) => ({
    ...shell(),
    grid: { left: 64, right: 24, top: 16, bottom: 48 },
    xAxis: axis(data.title, { type: "category", data: data.bars.map((b) => b[0]) }),
    yAxis: axis("", { type: "value", minInterval: 1 }),
    series: [{ type: "bar", barMaxWidth: 64, data: data.bars.map((b) => b[1]) }],
  });

  const ranges = (data) => {
    const rows = data.ranges;
    return {
      ...shell(),
      tooltip: {
        ...shell().tooltip, trigger: "axis", axisPointer: { type: "shadow" },
        formatter: (points) => {
          const r = rows[points[0].dataIndex];
          return told(r[0], percent(r[1]) + " [" + percent(r[2]) + ", " + percent(r[3]) + "]", say("{n} images", { n: r[4] }));
        },
      },
      grid: { left: 8, right: 24, top: 8, bottom: 40, containLabel: true },
      xAxis: axis(data.title, { type: "value", min: 0, max: 1, axisLabel: { color: color("soft"), formatter: tick(percent) } }),
      yAxis: axis("", { type: "category", inverse: true, data: rows.map((r) => short(r[0], 24)), axisLabel: { color: color("ink"), interval: 0 } }),
      series: [
        { type: "bar", data: rows.map((r) => r[1]), barMaxWidth: 14, itemStyle: { opacity: 0.75 } },
        {
          type: "custom", data: rows.map((r, i) => [i, r[2], r[3]]), encode: { x: [1, 2], y: 0 }, z: 5,
          renderItem: (_, api) => {
            const [low, high] = [api.coord([api.value(1), api.value(0)]), api.coord([api.value(2), api.value(0)])];
            const style = { stroke: color("ink"), lineWidth: 1.5 };
            const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style });
            return { type: "group", children: [
              line(low[0], low[1], high[0], high[1]), line(low[0], low[1] - 4, low[0], low[1] + 4), line(high[0], high[1] - 4, high[0], high[1] + 4),
            ] };
          },
        },
      ],
    };
  };

  const matrix = confusionMatrices({ axis, charts, color, element, mix, readable, say, shell, short, show, told });

  // What the lines of all small curves are.
  const legend = (canvas, series) => {
    const key = element("div", { className: "legend" });
    series.forEach((s, i) => {
      const line = element("span", { className: "line" });
      line.style.borderTop = `3px ${dashes[i % 3]} ${color(["one", "two", "three", "four"][i % 4])}`;
      key.append(element("span", {}, line, s.name));
    });
    canvas.before(key);
    canvas.parentElement.querySelectorAll(".legend").forEach((old) => { if (old !== key) old.remove(); });
  };

  // Small curves over the same axes, so that they can be held against each other.
  const multiples = (data, canvas) => {
    const every = data.panels.flatMap(([, c]) => c.series.flatMap((s) => s.points.map((p) => p[1])));
    // Shares over the whole range, so that a training is not taken for better than it is.
    const share = data.panels[0][1].y.unit === "share";
    const [low, high] = share ? [0, 1] : [Math.min(...every), Math.max(...every)];
    canvas.className = "panels";
    canvas.replaceChildren();
    canvas.setAttribute("role", "group");
    legend(canvas, data.panels[0][1].series);
    return data.panels.map(([name, data]) => {
      const small = element("div", { className: "small" });
      canvas.append(element("div", {}, element("div", { textContent: name, title: name }), small));
      const chart = echarts.init(small, null, { renderer: "svg" });
      const option = curve(data);
      const y = value(data.y.unit);
      chart.setOption({
        ...option, legend: { show: false }, grid: { left: 40, right: 8, top: 8, bottom: 24 },
        xAxis: { ...option.xAxis, name: "" }, yAxis: { ...option.yAxis, name: "", min: low, max: high, splitNumber: 3, ...(share && { interval: 0.25 }), axisLabel: { color: color("soft"), formatter: tick(y) } },
        series: option.series.map((s) => ({ ...s, showSymbol: false })),
      });
      return chart;
    });
  };

  const kinds = { curve, bars, ranges, scatter, parallel, timeline };
  // What is drawn: how it takes the size of its place, and how it is drawn anew.
  const drawn = [];
  const make = (figure) => {
    const canvas = figure.querySelector(".canvas");
    const data = charts[figure.dataset.chart];
    if (data.kind === "multiples") {
      let panels = multiples(data, canvas);
      drawn.push([() => panels.forEach((p) => p.resize()), () => { panels.forEach((p) => p.dispose()); panels = multiples(data, canvas); }]);
      return;
    }
    // Thousands of cells are faster on a canvas; everything else is sharp in print too.
    const many = data.kind === "matrix" && data.classes.length > 30;
    const chart = echarts.init(canvas, null, { renderer: many ? "canvas" : "svg" });
    const draw = data.kind === "matrix" ? matrix(data, canvas, chart, figure) : () => chart.setOption(kinds[data.kind](data), true);
    draw();
    chart.resize();
    drawn.push([() => chart.resize(), draw]);
  };
  const near = (figure) => {
    seen.unobserve(figure);
    if (!figure.querySelector("svg, canvas")) make(figure);
  };
  const figures = document.querySelectorAll("[data-chart]");
  // Of the size that it will have, so that a page does not move under its reader when a chart is drawn.
  figures.forEach((figure) => {
    const { style } = figure.querySelector(".canvas");
    const data = charts[figure.dataset.chart];
    if (data.kind === "timeline") style.height = 60 + 18 * data.spans.length + "px";
    if (data.kind === "ranges") style.height = 60 + 22 * data.ranges.length + "px";
    if (data.kind === "matrix") {
      // Who comes by the keyboard comes to it before it is drawn, and then to what stands behind it.
      const canvas = figure.querySelector(".canvas");
      canvas.tabIndex = 0;
      canvas.addEventListener("focus", () => near(figure), { once: true });
      const side = Math.min(768, 130 + 64 * data.classes.length);
      style.maxWidth = side + "px";
      style.height = `min(${side}px, 100vw)`;
    }
  });
  // Each is drawn when it comes near, so that a page of many opens at once; before printing all are.
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (entry.isIntersecting) near(entry.target);
  }), { rootMargin: "400px" });
  figures.forEach((figure) => seen.observe(figure));
  const resize = () => drawn.forEach(([fit]) => fit());
  const redraw = () => drawn.forEach(([, draw]) => draw());
  addEventListener("resize", resize);
  // On paper everything is as wide as a sheet, and dark on light.
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    figures.forEach(near);
    redraw();
    resize();
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    redraw();
    resize();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  foldLong({ element, say, resize });

  // The first screen is for what was found: of many chapters, and where there is little room, the list opens when it is asked for.
  const chapters = document.querySelector("nav details");
  chapters.open = innerWidth > 760 && chapters.querySelectorAll("li").length <= 16;
  chapters.classList.toggle("few", chapters.open);

  document.querySelectorAll(".copy").forEach((button) => button.addEventListener("click", async () => {
    const text = button.nextElementSibling;
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = say("Copied");
    } catch {
      // Where a page may not write to the clipboard, all of it is selected, to be copied by a key.
      getSelection().selectAllChildren(text);
    }
  }));
})();
