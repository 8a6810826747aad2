/* The report's map. Whatever comes from data is written as text, never as markup. */
const UNKNOWN = "not known";
const said = (value) => (value === null ? UNKNOWN : String(value));
const counted = (value) => said(value) + (value === 1 ? " collision" : " collisions");
const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
const byId = (id) => document.getElementById(id);

function element(tag, text, parent) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

/* Data and library stand in the page deflated, in base 64. */
async function unpack(id) {
  const letters = atob(byId(id).textContent), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(plain).text();
}
