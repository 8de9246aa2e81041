import { announce } from "./announce.js";

// Browsers do not know the type of every picture that the service reads.
const PICTURE_NAMES = /\.(avif|bmp|gif|hei[cf]|hif|jpe?g|png|tiff?|webp)$/i;

/** The ways in which pictures come to the page; each calls `take(pictures)`: files, and their names. */
export function takePictures(take) {
  for (const input of document.querySelectorAll("#pick, #photograph")) {
    input.addEventListener("change", () => {
      takeAny([...input.files].map(asPicture), take);
      input.value = ""; // the same file may be chosen again
    });
  }
  document.addEventListener("paste", (event) => {
    takeAny([...event.clipboardData.files].map(asPicture), take);
  });
  takeDropped(take);
}

function takeDropped(take) {
  const { body } = document;
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // or the browser opens the file in the page's place
    body.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) body.classList.remove("dragging");
  });
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    body.classList.remove("dragging");
    const { pictures, unread } = await dropped(event.dataTransfer);
    takeAny(pictures, take, noteOn(pictures.length, unread));
  });
}

const asPicture = (file) => ({ file, name: file.name });

/** Take the pictures, and show the note in the place of the one before. */
function takeAny(pictures, take, note = "") {
  const place = document.getElementById("left-out");
  place.textContent = note;
  place.hidden = note === "";
  if (note) announce(note);
  if (pictures.length > 0) take(pictures);
}

/** What of a drop cannot be seen in the gallery. */
function noteOn(taken, unread) {
  const sentences = [];
  if (unread > 0) sentences.push(`What could not be read: ${unread}.`);
  if (taken === 0) sentences.push("There is no picture in what was dropped.");
  return sentences.join(" ");
}

/** Dropped files, and the pictures in dropped folders; and how much of it could not be read. */
async function dropped(transfer) {
  // All entries are asked for first: the list of items is emptied when this function first waits.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) {
    return { pictures: [...transfer.files].map(asPicture), unread: 0 };
  }
  const found = await Promise.all(entries.filter(Boolean).map((entry) => picturesIn(entry, false)));
  const read = found.flat();
  const pictures = read.filter(Boolean);
  return { pictures, unread: read.length - pictures.length };
}

/** The pictures of an entry, in a folder by their paths; null for what cannot be read. */
async function picturesIn(entry, inFolder) {
  try {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      if (!inFolder) return [asPicture(file)];
      return isPicture(file) ? [{ file, name: entry.fullPath.replace(/^\//, "") }] : [];
    }
    const children = await childrenOf(entry);
    return (await Promise.all(children.map((child) => picturesIn(child, true)))).flat();
  } catch {
    return [null]; // a broken link, say, or a folder of somebody else
  }
}

const isPicture = ({ type, name }) => type.startsWith("image/") || PICTURE_NAMES.test(name);

/** A folder is read in portions, until one is empty. */
async function childrenOf(folder) {
  const reader = folder.createReader();
  const children = [];
  for (;;) {
    const portion = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return children;
    children.push(...portion);
  }
}
