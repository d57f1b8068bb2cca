"use strict";
// What is long and opens when it is asked for; nothing is left out in print. `page.js` lends its tools.
const foldLong = ({ element, say, resize }) => {
  const narrow = matchMedia("(max-width: 960px)");

  // Of a long table the first rows, until all are asked for: fewer of one whose rows stand one below the other.
  document.querySelectorAll(".table").forEach((box) => {
    const rows = [...box.querySelectorAll("tbody tr")];
    const button = element("button", { type: "button", className: "more", hidden: true });
    let asked = false;
    const fold = () => {
      const [long, first] = box.classList.contains("stacked") && narrow.matches ? [8, 5] : [30, 20];
      const shown = asked || rows.length <= long ? rows.length : first;
      rows.forEach((row, i) => row.classList.toggle("beyond", i >= shown));
      button.hidden = shown === rows.length;
      button.textContent = say("The first {n} of {m} rows are shown: show all", { n: shown, m: rows.length });
    };
    button.addEventListener("click", () => { asked = true; fold(); });
    narrow.addEventListener("change", fold);
    box.after(button);
    fold();
  });

  // On a small screen a page of many screens is a list of its chapters, of which the first are open. One that is served shows them all: it is
  // loaded anew while it is read.
  const [screens, open] = [25, 3];
  const { dataset, scrollHeight } = document.documentElement;
  if (innerWidth > 760 || scrollHeight < screens * innerHeight || dataset.state) return;
  const opened = new Map();
  document.querySelectorAll("main > h2").forEach((heading, i) => {
    const body = element("div", { className: "chapter", id: heading.id + "-body" });
    while (heading.nextElementSibling && heading.nextElementSibling.tagName !== "H2") body.append(heading.nextElementSibling);
    const button = element("button", { type: "button" }, ...heading.childNodes);
    button.setAttribute("aria-controls", body.id);
    heading.append(button);
    heading.after(body);
    const show = (is) => {
      button.setAttribute("aria-expanded", String(is));
      // A search within the page finds what is closed, and opens it.
      if (is) body.removeAttribute("hidden");
      else body.setAttribute("hidden", "until-found");
      if (is) resize();
    };
    button.addEventListener("click", () => show(button.getAttribute("aria-expanded") === "false"));
    body.addEventListener("beforematch", () => show(true));
    opened.set(heading.id, show);
    body.querySelectorAll("[id]").forEach((inner) => opened.set(inner.id, show));
    show(i < open);
  });
  const lead = (hash) => opened.get(decodeURIComponent(hash.slice(1)))?.(true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link) lead(link.getAttribute("href"));
  });
  lead(location.hash);
};

