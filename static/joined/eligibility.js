"use strict";
(() => {
document.addEventListener("click", ({ target }) => {
  const turn = target.closest("[data-turn]");
  if (!turn) return;
  const pages = [...document.querySelectorAll(".scan img")];
  const seen = pages.findIndex((page) =>
    page.getBoundingClientRect().bottom > page.closest(".scan").getBoundingClientRect().top + 40);
  pages[Math.max(0, Math.min(pages.length - 1, seen + Number(turn.dataset.turn)))]?.scrollIntoView();
});
})();
(() => {
const form = document.querySelector("form[data-screening]");
const READ = { DENIED: "Yes", MODIFIED: "Yes", APPROVED: "No", AMOUNT: "No", CONDITIONAL: "No", NOT_IN: "No" };
const outcome = (row) => row.querySelector("select[name^=outcome_]");
const show = (row) => {
  const { scope } = row.dataset;
  const read = READ[outcome(row).value] || "Unknown";
  const strictest = read === "No" || scope === "NO" ? "No" : scope === "UNKNOWN" ? "Unknown" : read;
  row.querySelector("[data-read]").textContent = strictest;
};
form.addEventListener("change", ({ target }) => {
  const every = form.querySelector("[data-same-for-all]");
  const rows = [...form.querySelectorAll("[data-scope]")];
  if (target === every && every.value) {
    rows.forEach((row) => { outcome(row).value = every.value; show(row); });
    document.dispatchEvent(new CustomEvent("portal:say", { detail: {
      text: `All ${rows.length} items: ${every.selectedOptions[0].text}.` } }));
  }
  const row = target.closest("[data-scope]");
  if (row && target === outcome(row)) {
    show(row);
    if (every && every.value !== target.value) every.value = "";
  }
});
})();
