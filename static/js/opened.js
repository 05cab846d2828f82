// A document counts as opened once the picture of one of its pages has come. Then the rail and the
// list of what is missing are fetched again; they listen for "portal:opened".
const told = (picture) => {
  if (!picture?.matches?.("img.sheet") || picture.dataset.told) return;
  picture.dataset.told = "1";
  document.body.dispatchEvent(new CustomEvent("portal:opened"));
};
document.addEventListener("load", (event) => told(event.target), true);
const first = document.querySelector("img.sheet");
if (first?.complete && first.naturalWidth) addEventListener("load", () => told(first), { once: true });
