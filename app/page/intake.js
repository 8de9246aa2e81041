/** The ways in which pictures come to the page; each calls `take(files)`. */
export function takePictures(take) {
  for (const input of document.querySelectorAll("#pick, #photograph")) {
    input.addEventListener("change", () => {
      take([...input.files]);
      input.value = ""; // the same file may be chosen again
    });
  }
  document.addEventListener("paste", (event) => takeAny(event.clipboardData.files, take));
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
    takeAny(await droppedFiles(event.dataTransfer), take);
  });
}

function takeAny(files, take) {
  if (files.length > 0) take([...files]);
}

/** Dropped files, and the pictures in dropped folders. */
async function droppedFiles(transfer) {
  // All entries are asked for first: the list of items is emptied when this function first waits.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return transfer.files;
  const nested = await Promise.all(entries.filter(Boolean).map((entry) => filesIn(entry, false)));
  return nested.flat();
}

async function filesIn(entry, inFolder) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return inFolder && !file.type.startsWith("image/") ? [] : [file];
  }
  const nested = await Promise.all((await childrenOf(entry)).map((child) => filesIn(child, true)));
  return nested.flat();
}

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
