// F8 and Shift F8 turn the pages of the scan beside a form: [data-turn="1"] and "-1" in a page with .scan.
document.addEventListener("click", ({ target }) => {
  const turn = target.closest("[data-turn]");
  if (!turn) return;
  const pages = [...document.querySelectorAll(".scan img")];
  const seen = pages.findIndex((page) =>
    page.getBoundingClientRect().bottom > page.closest(".scan").getBoundingClientRect().top + 40);
  pages[Math.max(0, Math.min(pages.length - 1, seen + Number(turn.dataset.turn)))]?.scrollIntoView();
});
