/** Tell what has changed to who does not see it. */
const MOST_KEPT = 20;

export function announce(sentence) {
  const log = document.getElementById("announcements");
  const line = document.createElement("p");
  line.textContent = sentence;
  log.append(line);
  if (log.children.length > MOST_KEPT) log.firstChild.remove();
}
