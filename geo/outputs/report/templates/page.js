/* What the page does beside its map: words explain themselves, links open what is folded away, contact sheets are gone
   through by keyboard, and paper gets what was asked for. Without this script words are links to the glossary. */
(() => {
  "use strict";
  const tip = document.getElementById("word-tip");
  const GAP_PX = 6, EDGE_PX = 8, WAIT_MS = 120;

  /* Words: by mouse, by keyboard and by touch. The tip may be pointed at, and Escape takes it away. */
  let shown = null, timer = 0;
  function hide() {
    clearTimeout(timer);
    tip.hidden = true;
    if (shown) shown.removeAttribute("aria-describedby");
    shown = null;
  }
  function show(term) {
    clearTimeout(timer);
    if (shown === term) return;
    hide();
    const title = document.getElementById(term.hash.slice(1));
    if (!title) return;
    const strong = document.createElement("b");
    strong.textContent = title.textContent;
    tip.replaceChildren(strong, " " + title.nextElementSibling.textContent);
    tip.hidden = false;
    shown = term;
    term.setAttribute("aria-describedby", tip.id);
    const at = term.getClientRects()[0], width = document.documentElement.clientWidth;
    tip.style.left = Math.max(EDGE_PX, Math.min(at.left, width - tip.offsetWidth - EDGE_PX)) + window.scrollX + "px";
    const below = at.bottom + GAP_PX + tip.offsetHeight <= window.innerHeight;
    tip.style.top = (below ? at.bottom + GAP_PX : at.top - GAP_PX - tip.offsetHeight) + window.scrollY + "px";
  }
  const later = (act) => { clearTimeout(timer); timer = setTimeout(act, WAIT_MS); };
  for (const term of document.querySelectorAll("a.term")) {
    term.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") later(() => show(term)); });
    term.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") later(hide); });
    term.addEventListener("focus", () => { if (term.matches(":focus-visible")) show(term); });
    term.addEventListener("blur", hide);
    term.addEventListener("click", (event) => {
      if (event.pointerType !== "touch" && event.pointerType !== "pen") return;
      event.preventDefault();
      if (shown === term) hide(); else show(term);
    });
  }
  tip.addEventListener("pointerenter", () => clearTimeout(timer));
  tip.addEventListener("pointerleave", () => later(hide));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  document.addEventListener("pointerdown", (event) => {
    if (shown && !tip.contains(event.target) && event.target !== shown) hide();
  });
  window.addEventListener("resize", hide);

  /* A link into something that is folded away opens it. */
  function reveal() {
    let target = null;
    try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (!target) return;
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView();
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash && !event.defaultPrevented) reveal();
  });
  window.addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  /* A contact sheet is one stop of the Tab key; arrow keys, Home and End go from picture to picture. */
  for (const sheet of document.querySelectorAll(".contacts")) {
    const links = [...sheet.querySelectorAll("a")];
    links.forEach((link, i) => { link.tabIndex = i ? -1 : 0; });
    sheet.addEventListener("focusin", (event) => {
      for (const link of links) link.tabIndex = link === event.target ? 0 : -1;
    });
    sheet.addEventListener("keydown", (event) => {
      const i = links.indexOf(event.target);
      if (i < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
      const top = links[0].getBoundingClientRect().top;
      const across = Math.max(1, links.findIndex((link) => link.getBoundingClientRect().top > top + 1));
      const seen = across * Math.max(1, Math.floor(sheet.clientHeight / links[0].offsetHeight) - 1);
      const step = {
        ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across, PageUp: -seen, PageDown: seen,
        Home: -i, End: links.length - 1 - i,
      }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      links[Math.min(links.length - 1, Math.max(0, i + step))].focus();
    });
  }

  /* Paper says of which run it is, and of when. The page itself holds no time, so that the same inputs give the same bytes: the day
     is told by the file, where it is known. */
  const imprint = document.getElementById("imprint"), margins = document.head.appendChild(document.createElement("style"));
  const NOW_MS = 2000;
  const day = (date) => [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
  const quoted = (text) => '"' + text.replace(/[^\w .,:;-]/gu, (letter) => "\\" + letter.codePointAt(0).toString(16) + " ") + '"';
  const written = new Date(document.lastModified);
  /* A file whose day the browser does not know is as young as the page. */
  const told = imprint.textContent + (Date.now() - written > NOW_MS ? "File of " + day(written) + ". " : "");
  function date() {
    imprint.textContent = told + "Printed " + day(new Date()) + ".";
    margins.textContent = "@page { @bottom-left { content: " + quoted(document.title + ". " + imprint.textContent) + "; font: 8pt sans-serif; color: #565656; } } @page :first { @bottom-left { content: none; } }";
  }
  date();

  /* Paper gets the first page and all that is not folded away, with the methods; or the first page alone. Other tables
     and sheets that are folded away are printed where the reader opened them. */
  const opened = [];
  window.addEventListener("beforeprint", () => {
    hide();
    date();
    for (const fold of document.querySelectorAll("details.fold:not([open])")) { fold.open = true; opened.push(fold); }
  });
  window.addEventListener("afterprint", () => {
    for (const fold of opened.splice(0)) fold.open = false;
    delete document.documentElement.dataset.paper;
  });
  for (const button of document.querySelectorAll("button[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      document.documentElement.dataset.paper = button.dataset.print;
      window.print();
    });
  }
})();
