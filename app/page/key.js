/** The key that the service may ask for; a person types it once a tab. */
const STORED = "alexnet-key";
const SENDABLE = /^[!-~]+$/;
const UNAUTHORIZED = 401;

let key = recalled();
let asking = null;

/** Fetch with the key; where the service wants one, or another, once the person has given it. */
export async function fetchWithKey(path, options = {}) {
  for (;;) {
    if (asking) await unlessAborted(asking, options.signal);
    const shown = key;
    const response = await fetch(path, shown ? { ...options, headers: headersOf(shown) } : options);
    if (response.status !== UNAUTHORIZED) return response;
    if (shown === key) asking ??= askPerson(shown).finally(() => (asking = null));
  }
}

/** Show the form until the service takes what is typed there. */
function askPerson(refused) {
  const form = document.getElementById("access");
  const field = document.getElementById("access-key");
  form.hidden = false;
  showRefusal(field, refused ? "The service does not take the key any more." : "");
  field.focus();
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      const candidate = field.value.trim();
      const refusal = await refusalOf(candidate);
      showRefusal(field, refusal);
      if (refusal) return;
      keep(candidate);
      field.value = "";
      document.getElementById("pick").focus(); // the field that had the focus goes
      form.hidden = true;
      resolve();
    };
  });
}

function showRefusal(field, sentence) {
  document.getElementById("access-refusal").textContent = sentence;
  field.setAttribute("aria-invalid", String(sentence !== ""));
}

/** Why a key is of no use, in a sentence; "" if it is. */
async function refusalOf(candidate) {
  if (!SENDABLE.test(candidate)) return "A key has no spaces, and no letters with accents.";
  try {
    const response = await fetch("models", { headers: headersOf(candidate) });
    return response.status === UNAUTHORIZED ? "The service does not take this key." : "";
  } catch {
    return "The service cannot be reached.";
  }
}

const headersOf = (shown) => ({ "X-API-Key": shown });

async function unlessAborted(promise, signal) {
  signal?.throwIfAborted();
  await new Promise((resolve, reject) => {
    promise.then(resolve, reject);
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}

function keep(taken) {
  key = taken;
  try {
    sessionStorage.setItem(STORED, taken);
  } catch {
    // A browser that keeps nothing throws: the key lasts as long as the page.
  }
}

function recalled() {
  try {
    return sessionStorage.getItem(STORED);
  } catch {
    return null;
  }
}
