// A document counts as opened once a page of it has come; the rail and the checks then ask again.
const announce = (sheet) => {
  if (sheet?.matches?.("img.sheet")) document.body.dispatchEvent(new Event("portal:opened"));
};
document.addEventListener("load", (event) => announce(event.target), true);
const first = document.querySelector("img.sheet");
if (first?.complete) addEventListener("load", () => announce(first), { once: true });
