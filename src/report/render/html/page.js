"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const charts = read("charts");
  const pictures = read("pictures");
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
    else image.replaceWith(element("span", { className: "note", textContent: "no picture" }));
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

  const curve = (data) => {
    const value = (unit) => (v) => (unit === "share" ? percent(v) : String(Math.round(v * 1e6) / 1e6));
    const [x, y] = [value(data.x.unit), value(data.y.unit)];
    return {
      ...shell(),
      tooltip: {
        ...shell().tooltip, trigger: "axis",
        formatter: (points) => told(data.x.name + " " + x(points[0].value[0]), ...points.map((p) => p.seriesName + ": " + y(p.value[1]))),
      },
      legend: { textStyle: { color: color("ink") }, type: "scroll" },
      grid: { left: 64, right: 24, top: 40, bottom: 48 },
      xAxis: axis(data.x.name, { type: data.x.logarithmic ? "log" : "value", min: "dataMin", max: "dataMax", minInterval: data.x.unit === "number" && !data.x.logarithmic ? 1 : 0 }),
      yAxis: axis(data.y.name, { type: data.y.logarithmic ? "log" : "value", scale: true, nameGap: 48, axisLabel: { color: color("soft"), formatter: y } }),
      series: data.series.map((s, i) => ({
        type: "line", name: s.name, data: s.points, symbolSize: 5, showSymbol: s.points.length < 60,
        lineStyle: { type: ["solid", "dashed", "dotted"][i % 3] },
      })),
    };
  };

  const bars = (data) => ({
    ...shell(),
    grid: { left: 64, right: 24, top: 24, bottom: 56 },
    xAxis: axis("", { type: "category", data: data.bars.map((b) => b[0]) }),
    yAxis: axis("", { type: "value" }),
    series: [{ type: "bar", data: data.bars.map((b) => b[1]) }],
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
          return told(r[0], percent(r[1]) + " [" + percent(r[2]) + ", " + percent(r[3]) + "]", r[4] + " images");
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
      const title = l === p ? `${data.classes[l]}: ${count} of ${totals[l]} right` : `${data.classes[l]} taken for ${data.classes[p]}: ${count} of ${totals[l]}`;
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
      else behind.append(element("p", { className: "note", textContent: "No photograph of it is in this page." }));
      behind.hidden = false;
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
            return told(l === p ? `${data.classes[l]}: right` : `${data.classes[l]} taken for ${data.classes[p]}`, `${count} of ${totals[l]}`);
          },
        },
        grid: { left: 8, right: 8, top: 8, bottom: 32, containLabel: true },
        dataZoom: zoom,
        visualMap: { show: false, min: 0, max: 1, dimension: 2, inRange: { color: [color("heat"), color("hot")] } },
        xAxis: axis("taken for", { type: "category", data: names, nameLocation: "end", name: "", axisLabel: { color: color("soft"), rotate: 90, hideOverlap: true, fontSize: n > 60 ? 9 : 11 } }),
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
      const button = element("button", { type: "button", textContent: text });
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
    if (!figure.querySelector(".tools")) figure.append(tools, element("p", { className: "note", textContent: "Rows are the true classes, columns what they were taken for. Click a cell, or a pair below, to see its photographs." }), pairs, behind);
    draw();
  };

  const kinds = { curve, bars, ranges };
  const drawn = [];
  const make = (figure) => {
    const canvas = figure.querySelector(".canvas");
    const data = charts[figure.dataset.chart];
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
