// The data of the page: columns of numbers, and the strings and phrases that they stand for (kvaudit/report/page_codec.py).
const data = JSON.parse(document.getElementById('data').textContent);
const { vaults, principals } = data;
const NONE = -1;
const PLACES = /[\ue000-\ue005]/g;

const text = (number) => (number === NONE ? '' : data.strings[number]);

function guid(number) {
  const digits = data.guids.slice(number * 32, number * 32 + 32);
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join('-');
}

// A phrase is the number of a template and the numbers of the GUIDs that go back into it, in order.
function phrase(number, vault = NONE, principal = '') {
  const [template, ...guids] = data.phrases[number];
  let next = 0;
  return text(template).replace(PLACES, (mark) => {
    switch (mark) {
      case '\ue000': return phrase(vaults.id[vault], vault);
      case '\ue001': return phrase(vaults.id[vault], vault).toLowerCase();
      case '\ue002': return text(vaults.name[vault]);
      case '\ue003': return text(vaults.name[vault]).toLowerCase();
      case '\ue004': return principal;
      default: return guid(guids[next++]);
    }
  });
}

const principalId = (number) => phrase(principals.id[number]);
const principalLabel = (number) => (number === NONE ? 'somebody who could not be read' : text(principals.label[number]));
const severityName = (rank) => data.severities[rank] ?? 'none';

// What a row of access says: who, on which object, what, which routes lead it to more, and because of which records.
function row(number) {
  const [principal, object, application, allowed, conditional, unknown, routes, ...because] = data.rows[number];
  return { principal, object, application, allowed, conditional, unknown, routes: data.lists[routes], because };
}

const reads = (set) => data.sets[set].includes(data.read);

function answerOfRow(item) {
  if (reads(item.allowed)) return 'allowed';
  if (reads(item.conditional)) return 'conditional';
  return reads(item.unknown) ? 'unknown' : 'denied';
}

// Findings by vault, and the worst of each, worked out once.
const findingsOf = Array.from(vaults.name, () => []);
const unknownsOf = Array.from(vaults.name, () => []);
data.findings.vault.forEach((vault, number) => findingsOf[vault].push(number));
data.unknowns.vault.forEach((vault, number) => unknownsOf[vault].push(number));
const worstOf = findingsOf.map((found) =>
  found.reduce((worst, number) => Math.min(worst, data.rules[data.findings.rule[number]].severity), data.severities.length));

// Rows by principal: made when the first principal is looked at.
let rowsByPrincipal = null;
function rowsOfPrincipal(principal) {
  if (rowsByPrincipal === null) {
    rowsByPrincipal = Array.from(principals.id, () => []);
    vaults.rows.forEach((numbers, vault) => {
      if (numbers === NONE) return;
      for (const number of numbers) {
        const holder = data.rows[number][0];
        if (holder !== NONE) rowsByPrincipal[holder].push([vault, number]);
      }
    });
  }
  return rowsByPrincipal[principal];
}

// Names in links: a vault by its name, which is unique in Azure; a second one of the same name by its place in the list too.
const vaultByName = new Map();
const vaultSlug = Array.from(vaults.name, (name, number) => {
  const wanted = text(name).toLowerCase();
  const slug = vaultByName.has(wanted) ? `${wanted}~${number}` : wanted;
  vaultByName.set(slug, number);
  return slug;
});
const principalById = new Map(Array.from(principals.id, (_, number) => [principalId(number), number]));
const vaultLink = (number) => `#vault-${encodeURIComponent(vaultSlug[number])}`;
const principalLink = (number) => `#principal-${encodeURIComponent(principalId(number))}`;
