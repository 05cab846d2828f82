// The eligibility form: one choice gives all items the same UR outcome, and beside each item stands the
// answer to fact 4 that follows from it. The server computes the same answer when the form is sent.
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
