// Dates talk back: beside a field with data-date stands the day as we understood it. The server
// reads the same forms (cases/paper_dates.py) and has the last word.
// Inside [data-date-before="id"] the echo adds how many days lie before that field's date.
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const title = (word) => word[0].toUpperCase() + word.slice(1);

const today = () => {
  const [year, month, day] = (document.querySelector("[data-today]")?.dataset.today || new Date().toLocaleDateString("sv")).split("-").map(Number);
  return new Date(year, month - 1, day);
};
const make = (year, month, day) => {
  if (String(year).length < 3) {
    year = Math.floor(today().getFullYear() / 100) * 100 + Number(year);
    if (year > today().getFullYear() + 9) year -= 100;
  }
  const made = new Date(year, month - 1, day);
  return made.getMonth() === month - 1 && made.getDate() === Number(day) ? made : null;
};
const back = (days) => { const on = today(); on.setDate(on.getDate() - days); return on; };

const read = (keyed) => {
  const text = keyed.trim().toLowerCase();
  let found;
  if (["t", "today"].includes(text)) return today();
  if (["y", "yesterday"].includes(text)) return back(1);
  if ((found = /^-(\d{1,3})$/.exec(text))) return back(Number(found[1]));
  if ((found = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text))) return make(found[1], found[2], found[3]);
  if ((found = /^(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4}|\d{2})$/.exec(text))) return make(found[3], found[1], found[2]);
  if ((found = /^(\d{2})(\d{2})(\d{4}|\d{2})$/.exec(text))) return make(found[3], found[1], found[2]);
  if ((found = /^(?:[a-z]{3} )?(\d{1,2}) ([a-z]{3})[a-z]*\.? (\d{4}|\d{2})$/.exec(text))) return make(found[3], MONTHS.indexOf(found[2]) + 1, found[1]);
  if ((found = /^([a-z]{3})[a-z]*\.? (\d{1,2}),? (\d{4}|\d{2})$/.exec(text))) return make(found[3], MONTHS.indexOf(found[1]) + 1, found[2]);
  return null;
};

const years = (from, to) => to.getFullYear() - from.getFullYear() - (to.getMonth() < from.getMonth() || (to.getMonth() === from.getMonth() && to.getDate() < from.getDate()) ? 1 : 0);
const echo = (field) => {
  const place = document.getElementById(`${field.id}_echo`);
  if (!place) return;
  const on = field.value.trim() ? read(field.value) : null;
  place.classList.toggle("bad", Boolean(field.value.trim()) && !on);
  if (!on) { place.textContent = field.value.trim() ? "not a date" : ""; return; }
  let words = `${DAYS[on.getDay()]} ${on.getDate()} ${title(MONTHS[on.getMonth()])} ${on.getFullYear()}`;
  if (+on === +today()) words += ", today";
  if (field.name.endsWith("date_of_birth")) words += ` · age ${years(on, today())}`;
  const other = document.getElementById(field.closest("[data-date-before]")?.dataset.dateBefore || "");
  const to = other && read(other.value);
  if (to) words += `, ${Math.round((to - on) / 864e5)} days before receipt`;
  place.textContent = words;
};
const all = () => document.querySelectorAll("[data-date]").forEach(echo);
document.addEventListener("input", (event) => { if (event.target.matches("[data-date]")) all(); });
document.addEventListener("htmx:afterSettle", all);
all();
