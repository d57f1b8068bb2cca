"use strict";
(() => {
  const shown = document.documentElement.dataset.state;
  const look = async () => {
    try {
      const now = await (await fetch("/state", { cache: "no-store" })).text();
      if (now !== shown) return location.reload();
    } catch {
      // The server may be away for a while, as when it is started anew.
    }
    setTimeout(look, 2000);
  };
  setTimeout(look, 2000);
})();
