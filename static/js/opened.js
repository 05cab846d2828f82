// A document counts as opened once a page of it has come; the rail and the checks then ask again.
const told = (sheet) => {
  if (sheet?.matches?.("img.sheet")) document.body.dispatchEvent(new Event("portal:opened"));
};
document.addEventListener("load", (event) => told(event.target), true);
const first = document.querySelector("img.sheet");
if (first?.complete) addEventListener("load", () => told(first), { once: true });
