"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const charts = read("charts");
  const pictures = read("pictures");
  const known = read("words");
  // A sentence in the language of the page, with its parts filled in.
  const say = (sentence, parts = {}) => (known[sentence] ?? sentence).replace(/\{(\w)\}/g, (_, part) => parts[part]);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
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

  const value = (unit) => (v) => (unit === "share" ? percent(v) : String(Math.round(v * 1e6) / 1e6));

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
      xAxis: axis(data.x.name, { type: data.x.logarithmic ? "log" : "value", min: "dataMin", max: "dataMax", minInterval: data.x.unit === "number" && !data.x.logarithmic ? 1 : 0 }),
      yAxis: axis(data.y.name, { type: data.y.logarithmic ? "log" : "value", scale: true, nameGap: 48, axisLabel: { color: color("soft"), formatter: y } }),
      series: data.series.map((s, i) => ({
        type: "line", name: s.name, data: s.points, symbolSize: 5, showSymbol: s.points.length < 60,
        lineStyle: { type: ["solid", "dashed", "dotted"][i % 3] },
      })),
    };
  };

  const scatter = (data) => {
    const [x, y] = [value(data.x.unit), value(data.y.unit)];
    return {
      ...shell(),
      tooltip: { ...shell().tooltip, formatter: (p) => told(p.value[2], data.x.name + ": " + x(p.value[0]), data.y.name + ": " + y(p.value[1])) },
      // Names stand on the right of their points, that of the last one too.
      grid: { left: 64, right: 112, top: 16, bottom: 48 },
      xAxis: axis(data.x.name, { type: data.x.logarithmic ? "log" : "value", scale: true, axisLabel: { color: color("soft"), formatter: x } }),
      yAxis: axis(data.y.name, { type: "value", nameGap: 48, min: data.y.unit === "share" ? 0 : null, max: data.y.unit === "share" ? 1 : null, axisLabel: { color: color("soft"), formatter: y } }),
      series: [{
        type: "scatter", symbolSize: 9, data: data.points.map(([name, a, b]) => [a, b, name]),
        label: { show: data.points.length <= 40, position: "right", color: color("soft"), fontSize: 11, formatter: (p) => short(p.value[2], 14) },
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
        dim, name: short(name, 22), ...(words.length ? { type: "category", data: words } : { type: "value", scale: true, axisLabel: { color: color("soft"), formatter: value(unit) } }),
      })),
      visualMap: { show: false, dimension: last, min: Math.min(...ends), max: Math.max(...ends), inRange: { color: [color("two"), color("one")] } },
      series: [{ type: "parallel", smooth: false, lineStyle: { width: 1.6, opacity: 0.75 }, data: data.lines.map((l) => l[1]) }],
    };
  };

  const timeline = (data, canvas) => {
    const rows = data.spans;
    const end = Math.max(...rows.map((r) => r[2]));
    const [unit, size] = end < 120 ? ["seconds", 1] : end < 7200 ? ["minutes", 60] : ["hours", 3600];
    canvas.style.height = 60 + 18 * rows.length + "px";
    return {
      ...shell(),
      tooltip: { ...shell().tooltip, formatter: (p) => told(rows[p.dataIndex][0], ((rows[p.dataIndex][2] - rows[p.dataIndex][1]) / size).toFixed(1) + " " + unit) },
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

  const ranges = (data, canvas) => {
    const rows = data.ranges;
    canvas.style.height = 60 + 22 * rows.length + "px";
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
      xAxis: axis(data.title, { type: "value", min: 0, max: 1, axisLabel: { color: color("soft"), formatter: percent } }),
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

  // Classes that are taken for each other stand beside each other: each next one is the most confused with those before it.
  const byConfusion = (data) => {
    const n = data.classes.length;
    const near = Array.from({ length: n }, () => new Float64Array(n));
    const errors = new Float64Array(n);
    data.cells.forEach(([l, p, count]) => {
      if (l === p) return;
      near[l][p] += count; near[p][l] += count; errors[l] += count; errors[p] += count;
    });
    const left = new Set(Array.from({ length: n }, (_, i) => i));
    const order = [];
    const tie = new Float64Array(n);
    while (left.size) {
      let best = -1;
      left.forEach((i) => {
        if (best < 0 || tie[i] > tie[best] || (tie[i] === tie[best] && errors[i] > errors[best])) best = i;
      });
      left.delete(best);
      order.push(best);
      left.forEach((i) => { tie[i] = tie[i] * 0.5 + near[best][i]; });
    }
    return order;
  };

  const matrix = (data, canvas, chart, figure) => {
    const n = data.classes.length;
    const totals = new Array(n).fill(0);
    data.cells.forEach(([l, , count]) => { totals[l] += count; });
    const label = (name) => short(name, n > 60 ? 8 : 14);
    const behind = element("div", { className: "behind", hidden: true });
    behind.setAttribute("aria-live", "polite");
    const open = (cell) => {
      const [l, p, count, shots] = cell;
      const parts = { a: data.classes[l], b: data.classes[p], n: count, m: totals[l] };
      const title = say(l === p ? "{a}: {n} of {m} right" : "{a} taken for {b}: {n} of {m}", parts);
      const gallery = element("div", { className: "gallery" });
      shots.forEach(([picture, path, caption]) => {
        const image = element("img", { alt: path });
        image.dataset.picture = picture;
        const lines = caption.map((line) => element("span", { textContent: line }));
        gallery.append(element("figure", {}, image, element("figcaption", {}, ...lines, element("span", { className: "path", textContent: path, title: path }))));
        show(image);
      });
      behind.replaceChildren(element("strong", { textContent: title }));
      if (shots.length) behind.append(gallery);
      else behind.append(element("p", { className: "note", textContent: say("No photograph of it is in this page.") }));
      behind.hidden = false;
      behind.scrollIntoView({ block: "nearest" });
    };
    let order = n > 2 ? byConfusion(data) : data.classes.map((_, i) => i);
    const draw = () => {
      const place = new Array(n);
      order.forEach((c, i) => { place[c] = i; });
      const names = order.map((c) => label(data.classes[c]));
      const share = data.cells.map(([l, p, count]) => [place[p], place[l], count / totals[l]]);
      const zoom = n > 30 ? [{ type: "inside", xAxisIndex: 0 }, { type: "inside", yAxisIndex: 0 }] : [];
      chart.setOption({
        ...shell(),
        tooltip: {
          ...shell().tooltip,
          formatter: (point) => {
            const [l, p, count] = data.cells[point.dataIndex];
            const parts = { a: data.classes[l], b: data.classes[p], n: count, m: totals[l] };
            return told(say(l === p ? "{a}: right" : "{a} taken for {b}", parts), say("{n} of {m}", parts));
          },
        },
        grid: { left: 8, right: 8, top: 8, bottom: 32, containLabel: true },
        dataZoom: zoom,
        visualMap: { show: false, min: 0, max: 1, dimension: 2, inRange: { color: [color("heat"), color("hot")] } },
        xAxis: axis(say("taken for"), { type: "category", data: names, nameLocation: "end", name: "", axisLabel: { color: color("soft"), rotate: 90, hideOverlap: true, fontSize: n > 60 ? 9 : 11 } }),
        yAxis: axis("", { type: "category", inverse: true, data: names, axisLabel: { color: color("soft"), hideOverlap: true, fontSize: n > 60 ? 9 : 11 } }),
        series: [{
          type: "heatmap", data: share, progressive: 0,
          label: { show: n <= 15, formatter: (point) => String(data.cells[point.dataIndex][2]), color: color("ink"), textBorderColor: color("paper"), textBorderWidth: 2 },
          itemStyle: { borderColor: color("paper"), borderWidth: n > 60 ? 0 : 1 },
        }],
      }, true);
    };
    chart.on("click", (point) => open(data.cells[point.dataIndex]));
    const tools = element("div", { className: "tools" });
    const orders = [["Ordered by confusion", () => byConfusion(data)], ["Ordered as listed", () => data.classes.map((_, i) => i)]];
    const buttons = orders.map(([text, make], i) => {
      const button = element("button", { type: "button", textContent: say(text) });
      button.setAttribute("aria-pressed", String(i === 0));
      button.addEventListener("click", () => {
        buttons.forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
        order = make();
        draw();
      });
      return button;
    });
    tools.append(...buttons);
    const worst = data.cells.filter(([l, p]) => l !== p).sort((a, b) => b[2] - a[2]).slice(0, 10);
    const pairs = element("div", { className: "tools" });
    worst.forEach((cell) => {
      const button = element("button", { type: "button", textContent: `${data.classes[cell[0]]} → ${data.classes[cell[1]]}: ${cell[2]}` });
      button.addEventListener("click", () => open(cell));
      pairs.append(button);
    });
    if (!figure.querySelector(".tools")) figure.append(tools, element("p", { className: "note", textContent: say("Rows are the true classes, columns what they were taken for. Click a cell, or a pair below, to see its photographs.") }), pairs, behind);
    draw();
  };

  // Small curves over the same axes, so that they can be held against each other.
  const multiples = (data, canvas) => {
    const every = data.panels.flatMap(([, c]) => c.series.flatMap((s) => s.points.map((p) => p[1])));
    const [low, high] = [Math.min(...every), Math.max(...every)];
    canvas.className = "panels";
    canvas.replaceChildren();
    canvas.removeAttribute("role");
    return data.panels.map(([name, data]) => {
      const small = element("div", { className: "small" });
      canvas.append(element("div", {}, element("div", { textContent: name, title: name }), small));
      const chart = echarts.init(small, null, { renderer: "svg" });
      const option = curve(data);
      const y = value(data.y.unit);
      chart.setOption({
        ...option, legend: { show: false }, grid: { left: 40, right: 8, top: 8, bottom: 24 },
        xAxis: { ...option.xAxis, name: "" }, yAxis: { ...option.yAxis, name: "", min: low, max: high, splitNumber: 3, axisLabel: { color: color("soft"), formatter: (v) => y(v).replace(/\.\d%/, "%") } },
        series: option.series.map((s) => ({ ...s, showSymbol: false })),
      });
      return chart;
    });
  };

  const kinds = { curve, bars, ranges, scatter, parallel, timeline };
  const drawn = [];
  const make = (figure) => {
    const canvas = figure.querySelector(".canvas");
    const data = charts[figure.dataset.chart];
    if (data.kind === "multiples") {
      let panels = multiples(data, canvas);
      drawn.push([{ resize: () => panels.forEach((p) => p.resize()), off: () => {} }, () => { panels.forEach((p) => p.dispose()); panels = multiples(data, canvas); }]);
      return;
    }
    const chart = echarts.init(canvas, null, { renderer: data.kind === "matrix" ? "canvas" : "svg" });
    const draw = () => (data.kind === "matrix" ? matrix(data, canvas, chart, figure) : chart.setOption(kinds[data.kind](data, canvas), true));
    draw();
    chart.resize();
    drawn.push([chart, draw]);
  };
  const figures = document.querySelectorAll("[data-chart]");
  // Each is drawn when it comes near, so that a page of many opens at once; before printing all are.
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (!entry.isIntersecting) return;
    seen.unobserve(entry.target);
    make(entry.target);
  }), { rootMargin: "400px" });
  figures.forEach((figure) => seen.observe(figure));
  addEventListener("resize", () => drawn.forEach(([chart]) => chart.resize()));
  addEventListener("beforeprint", () => figures.forEach((figure) => {
    if (!figure.querySelector("svg, canvas")) { seen.unobserve(figure); make(figure); }
  }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(([chart, draw]) => { chart.off("click"); draw(); }));
})();
