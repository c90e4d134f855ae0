"use strict";
// Asks for this very page again and takes over what differs; scrolling and focus stay as they are.
(() => {
  const main = document.getElementById("main");
  const silence = document.getElementById("silence");
  const every = Number(document.body.dataset.every) * 1000;
  // Without the name and password that may stand in the address: fetch refuses those.
  const self = location.origin + location.pathname + location.search;
  let answered = new Date();

  const clock = (moment) => moment.toISOString().slice(11, 19);

  const selecting = () => {
    const selection = getSelection();
    return selection !== null && !selection.isCollapsed;
  };

  const rows = (known, fresh) => {
    const old = new Map([...known.children].map((row) => [row.dataset.key, row]));
    let place = null;
    for (const row of [...fresh.children]) {
      const same = old.get(row.dataset.key);
      old.delete(row.dataset.key);
      const kept = same !== undefined && same.isEqualNode(row);
      const shown = kept ? same : document.adoptNode(row);
      if (same !== undefined && !kept) same.replaceWith(shown);
      const next = place === null ? known.firstElementChild : place.nextElementSibling;
      if (next !== shown) known.insertBefore(shown, next);
      place = shown;
    }
    for (const row of old.values()) row.remove();
  };

  const take = (page) => {
    const focused = document.activeElement?.getAttribute("href");
    for (const known of document.querySelectorAll("[data-part]")) {
      const fresh = page.querySelector(`[data-part="${known.dataset.part}"]`);
      if (fresh === null || known.isEqualNode(fresh)) continue;
      if ("rows" in known.dataset) rows(known, fresh);
      else known.replaceWith(document.adoptNode(fresh));
    }
    document.title = page.title;
    if (focused && document.activeElement === document.body) {
      const link = [...document.links].find((one) => one.getAttribute("href") === focused);
      link?.focus({ preventScroll: true });
    }
  };

  const silent = (why) => {
    silence.textContent = `${why} What follows is as it was at ${clock(answered)} UTC.`;
    silence.hidden = false;
    main.classList.add("old");
  };

  const refresh = async () => {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), 10000);
    try {
      const answer = await fetch(self, { cache: "no-store", signal: late.signal });
      const text = await answer.text();
      if (!answer.ok) {
        silent(`The service does not answer (HTTP ${answer.status}).`);
        return;
      }
      // Its style is in force already, and would be refused under the nonce of this page.
      const plain = text.replace(/<style[^]*?<\/style>/, "");
      const page = new DOMParser().parseFromString(plain, "text/html");
      // A column that came or went, or a page that was shown without the service: all of it anew.
      if (main.querySelectorAll("thead th").length !== page.querySelectorAll("thead th").length) {
        location.reload();
        return;
      }
      take(page);
      answered = new Date();
      silence.hidden = true;
      main.classList.remove("old");
    } catch {
      silent("The service does not answer.");
    } finally {
      clearTimeout(timer);
    }
  };

  const again = async () => {
    // A selected text, which the user may be about to copy, is not replaced.
    if (!document.hidden && !selecting()) await refresh();
    setTimeout(again, every);
  };
  setTimeout(again, every);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
})();
