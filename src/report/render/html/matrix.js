"use strict";
// Confusion matrices with what stands behind their cells; `page.js` lends its tools.
const confusionMatrices = ({ axis, charts, color, element, mix, readable, say, shell, short, show, told }) => {
  // All matrices of the same classes stand in one order, also after a button is pressed.
  const listed = new Map();
  const matrices = [];

  // The wheel scrolls the page, also here: with the control key it zooms, and what is zoomed is moved by a drag.
  const zoomable = (canvas, view, move, look, zoomed) => {
    let held = null;
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const box = canvas.getBoundingClientRect();
      zoomed(event.deltaY < 0 ? 0.8 : 1.25, [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => { held = { at: [event.clientX, event.clientY], view: view.map((part) => [...part]) }; });
    canvas.addEventListener("pointermove", (event) => {
      if (!held || !event.buttons || view[0][1] - view[0][0] >= 100) return;
      const size = [canvas.clientWidth, canvas.clientHeight];
      [event.clientX, event.clientY].forEach((now, axis) => {
        const [start, end] = held.view[axis];
        move(axis, start - ((now - held.at[axis]) / size[axis]) * (end - start), end - start);
      });
      look();
    });
    addEventListener("pointerup", () => { held = null; });
  };

  // The same by the arrow keys, a quarter of what is shown at a time.
  const movable = (canvas, view, move, look) => {
    canvas.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: [0, -0.25], ArrowRight: [0, 0.25], ArrowUp: [1, -0.25], ArrowDown: [1, 0.25] }[event.key];
      if (!to || view[0][1] - view[0][0] >= 100) return;
      event.preventDefault();
      const [axis, by] = to;
      const [start, end] = view[axis];
      move(axis, start + by * (end - start), end - start);
      look();
    });
  };

  const matrix = (data, canvas, chart, figure) => {
    const n = data.classes.length;
    const key = JSON.stringify(data.classes);
    const totals = new Array(n).fill(0);
    data.cells.forEach(([l, , count]) => { totals[l] += count; });
    const label = (name) => short(name, n > 60 ? 8 : 14);
    const parts = ([l, p, count]) => ({ a: data.classes[l], b: data.classes[p], n: count, m: totals[l], r: data.runs });
    const behind = element("div", { className: "behind", hidden: true });
    behind.setAttribute("aria-live", "polite");
    const meaning = (cell) => {
      const right = cell[0] === cell[1];
      const sentence = data.runs > 1
        ? (right ? "{a}: {n} of {m} guesses of {r} runs right" : "{a} taken for {b}: {n} of {m} guesses of {r} runs")
        : (right ? "{a}: {n} of {m} right" : "{a} taken for {b}: {n} of {m}");
      return say(sentence, parts(cell));
    };
    const open = (cell) => {
      const [, , , all, shots] = cell;
      const gallery = element("div", { className: "gallery" });
      shots.forEach(([picture, path, caption]) => {
        const image = element("img", { alt: path });
        image.dataset.picture = picture;
        const lines = caption.map((line) => element("span", { textContent: line }));
        gallery.append(element("figure", {}, image, element("figcaption", {}, ...lines, element("span", { className: "path", textContent: path, title: path }))));
        show(image);
      });
      behind.replaceChildren(element("strong", { textContent: meaning(cell) }));
      if (shots.length) behind.append(gallery);
      else behind.append(element("p", { className: "note", textContent: say("No photograph of it is in this page.") }));
      if (shots.length && shots.length < all) {
        behind.append(element("p", { className: "note", textContent: say("{n} of {m} photographs are in this page.", { n: shots.length, m: all }) }));
      }
      behind.hidden = false;
      behind.scrollIntoView({ block: "nearest" });
    };
    const zoom = n > 30;
    // The shown parts of both axes, in percent.
    const view = [[0, 100], [0, 100]];
    const hasRoom = () => (canvas.clientWidth * 100) / (n * (view[0][1] - view[0][0])) > 26;
    const move = (axis, from, size) => {
      const width = Math.min(100, Math.max(size, 500 / n));
      const start = Math.max(0, Math.min(100 - width, from));
      view[axis] = [start, start + width];
    };
    const look = () => {
      chart.dispatchAction({ type: "dataZoom", batch: view.map(([start, end], dataZoomIndex) => ({ dataZoomIndex, start, end })) });
      chart.setOption({ series: [{ label: { show: hasRoom() } }] });
      // A finger moves what is zoomed, and else the page.
      canvas.style.touchAction = view[0][1] - view[0][0] < 100 ? "none" : "";
    };
    const zoomed = (factor, at = [0.5, 0.5]) => {
      view.forEach(([start, end], axis) => {
        const point = start + (end - start) * at[axis];
        move(axis, point - (point - start) * factor, (end - start) * factor);
      });
      look();
    };
    if (zoom) {
      zoomable(canvas, view, move, look, zoomed);
      movable(canvas, view, move, look);
    }
    // Right ones in one colour and wrong ones in another; by the root, so that a few of many are seen too.
    const cellOf = (place) => ([l, p, count]) => {
      const share = totals[l] ? count / totals[l] : 0;
      const fill = count ? mix("paper", l === p ? "right" : "wrong", 0.15 + 0.85 * Math.sqrt(share)) : color("paper");
      return {
        value: [place[p], place[l], count],
        itemStyle: { color: fill, borderColor: count ? color("paper") : color("bad"), borderWidth: (n > 60 ? 0 : 1) + (count ? 0 : 1) },
        label: { color: count ? readable(fill) : color("bad") },
      };
    };
    const draw = () => {
      const order = listed.get(key) ? data.classes.map((_, i) => i) : data.order;
      const place = new Array(n);
      order.forEach((c, i) => { place[c] = i; });
      const names = order.map((c) => label(data.classes[c]));
      const grid = { splitLine: { show: n <= 60, lineStyle: { color: color("line"), opacity: 0.6 } }, axisTick: { show: false } };
      chart.setOption({
        ...shell(),
        tooltip: {
          ...shell().tooltip,
          formatter: (point) => {
            const cell = data.cells[point.dataIndex];
            return told(say(cell[0] === cell[1] ? "{a}: right" : "{a} taken for {b}", parts(cell)), say(data.runs > 1 ? "{n} of {m} guesses of {r} runs" : "{n} of {m}", parts(cell)));
          },
        },
        grid: { left: 8, right: 8, top: 8, bottom: 8, containLabel: true },
        // Disabled are its own gestures, which take the wheel from the page.
        dataZoom: zoom ? view.map(([start, end], i) => ({ type: "inside", [i ? "yAxisIndex" : "xAxisIndex"]: 0, disabled: true, start, end })) : [],
        xAxis: axis("", { type: "category", data: names, ...grid, axisLabel: { color: color("soft"), rotate: 90, hideOverlap: true, fontSize: n > 60 ? 9 : 11 } }),
        yAxis: axis("", { type: "category", inverse: true, data: names, ...grid, axisLabel: { color: color("soft"), hideOverlap: true, fontSize: n > 60 ? 9 : 11 } }),
        series: [{
          type: "heatmap", data: data.cells.map(cellOf(place)), progressive: 0,
          label: { show: hasRoom(), formatter: (point) => String(point.value[2]) },
        }],
      }, true);
    };
    matrices.push([key, draw]);
    chart.on("click", (point) => open(data.cells[point.dataIndex]));
    const buttons = ["Ordered by confusion", "Ordered as listed"].map((text, i) => {
      const button = element("button", { type: "button", textContent: say(text) });
      button.addEventListener("click", () => {
        listed.set(key, i === 1);
        matrices.forEach(([of, redraw]) => { if (of === key) redraw(); });
        pressed();
      });
      button.dataset.order = key + i;
      return button;
    });
    const pressed = () => document.querySelectorAll("[data-order]").forEach((button) => {
      [false, true].forEach((as, i) => { if (button.dataset.order === key + i) button.setAttribute("aria-pressed", String(Boolean(listed.get(key)) === as)); });
    });
    if (zoom) {
      [["Zoom in", 0.5], ["Zoom out", 2]].forEach(([text, factor]) => {
        const button = element("button", { type: "button", textContent: say(text) });
        button.addEventListener("click", () => zoomed(factor));
        buttons.push(button);
      });
    }
    const pair = (cell) => {
      const button = element("button", { type: "button", textContent: `${data.classes[cell[0]]} → ${data.classes[cell[1]]}: ${cell[2]}` });
      button.addEventListener("click", () => open(cell));
      return button;
    };
    const most = (cells) => cells.sort((a, b) => b[2] - a[2]);
    const worst = most(data.cells.filter(([l, p]) => l !== p)).slice(0, 10);
    const pairs = element("div", { className: "tools" }, ...worst.map(pair));
    const notes = ["Rows are the true classes, columns what they were taken for."];
    if (data.cells.some(([, , , , shots]) => shots.length)) notes.push("Click a cell, or a pair below, to see its photographs.");
    notes.push("Blue is right, orange is wrong; the stronger, the larger the share of the row. A red 0: the class was never right.");
    if (data.runs > 1) notes.push("Counts are of the guesses of all {r} runs.");
    if (zoom) notes.push("The wheel zooms with the control key; a drag moves what is zoomed.", "The arrow keys move what is zoomed.");
    if (charts.filter((c) => c.kind === "matrix" && JSON.stringify(c.classes) === key).length > 1) notes.push("All matrices of these classes have the same order.");
    const note = element("p", { className: "note", textContent: notes.map((sentence) => say(sentence, { r: data.runs })).join(" ") });
    // What is drawn is for a pointer: here every cell is within reach of the keyboard too. Each is made when it is opened.
    const folded = (name, made) => {
      const box = element("details", {}, element("summary", { textContent: name }));
      box.addEventListener("toggle", () => { if (box.childElementCount === 1) box.append(...made()); });
      return box;
    };
    const row = (l) => {
      const cells = most(data.cells.filter(([label]) => label === l));
      const right = cells.find(([, p]) => p === l);
      return right ? [folded(meaning(right), () => [element("div", { className: "tools" }, ...cells.map(pair))])] : [];
    };
    const rows = folded(say("All cells, row by row"), () => data.order.flatMap(row));
    rows.className = "rows";
    figure.append(element("div", { className: "tools" }, ...buttons), note, pairs, rows, behind);
    pressed();
    return draw;
  };

  return matrix;
};
