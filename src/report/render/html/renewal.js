"use strict";
(() => {
  const shown = document.documentElement.dataset.state;
  const status = document.querySelector(".served");
  const live = status.textContent;
  // A status is read out when it changes, so it is written only then.
  const say = (text) => { if (status.textContent !== text) status.textContent = text; };
  const look = async () => {
    try {
      const now = await (await fetch("/state", { cache: "no-store" })).text();
      if (now !== shown) return location.reload();
      say(live);
    } catch {
      // It may be away for a while, as when it is started anew.
      say(status.dataset.away);
    }
    status.classList.toggle("warning", status.textContent !== live);
    setTimeout(look, 2000);
  };
  setTimeout(look, 2000);
})();
