// Elements are made, never parsed: every name of the tenant becomes a text node and nothing else.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'class') element.className = value;
    else if (name === 'on') for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  for (const child of children.flat(2)) {
    if (child !== null && child !== undefined && child !== '') element.append(child);
  }
  return element;
}

const number = new Intl.NumberFormat('en');
const count = (value, singular, plural = `${singular}s`) => `${number.format(value)} ${value === 1 ? singular : plural}`;
const badge = (name, label = name) => make('span', { class: `badge ${name}` }, label);

function vaultAnchor(vault) {
  return make('a', { href: vaultLink(vault) }, text(vaults.name[vault]));
}

function principalAnchor(principal) {
  return principal === NONE
    ? make('em', {}, principalLabel(NONE))
    : make('a', { href: principalLink(principal) }, text(principals.name[principal]) || principalId(principal));
}

// A command to copy. What is shown is what is copied.
function commands(lines) {
  const block = make('pre', { tabindex: '0' }, make('code', {}, lines.join('\n')));
  const said = make('span', { class: 'said', role: 'status' });
  const button = make('button', { type: 'button', class: 'copy', on: { click: () => copy(block, said) } }, 'Copy');
  return make('div', { class: 'commands' }, block, make('div', { class: 'commands-side' }, button, said));
}

async function copy(block, said) {
  try {
    await navigator.clipboard.writeText(block.textContent);
    said.textContent = 'Copied';
  } catch {
    // No clipboard here: the text is selected, so that one key copies it.
    const range = document.createRange();
    range.selectNodeContents(block);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    said.textContent = 'Selected: press Ctrl+C';
  }
}

// `secrets: get, list` for a set of operations; a kind of which all are held says so.
const kindsOfWords = new Map();
data.words.forEach((word, index) => {
  const [kind, name] = word.split('/');
  if (!kindsOfWords.has(kind)) kindsOfWords.set(kind, []);
  kindsOfWords.get(kind).push([index, name]);
});

function words(set) {
  const held = new Set(data.sets[set]);
  const parts = [];
  for (const [kind, names] of kindsOfWords) {
    const found = names.filter(([index]) => held.has(index)).map(([, name]) => name);
    const missing = names.filter(([index]) => !held.has(index)).map(([, name]) => name);
    if (found.length && !missing.length) parts.push(`${kind}: everything`);
    else if (found.length > 6 && missing.length <= 3) parts.push(`${kind}: everything but ${missing.join(', ')}`);
    else if (found.length) parts.push(`${kind}: ${found.join(', ')}`);
  }
  return parts.join(' · ');
}
