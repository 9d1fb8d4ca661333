// Findings of a rule, vault by vault: drawn when the rule is opened, a page at a time.
const FINDINGS_STEP = 20;
const FINDINGS_PRINTED = 100;

// The heading holds no link: a summary is a button, and a button holds no other.
function findingCard(found, { heading = make('strong', {}, text(vaults.name[data.findings.vault[found]])), link = vaultAnchor(data.findings.vault[found]), open = false } = {}) {
  const { vault: on, message, evidence, count: counts, fix } = data.findings;
  const vault = on[found];
  const flat = data.lists[evidence[found]];
  const lines = [];
  for (let index = 0; index < flat.length; index += 3) lines.push(evidenceLine(flat.slice(index, index + 3), vault));
  const more = counts[found] - lines.length;
  const fixes = data.lists[fix[found]].map((line) => phrase(line, vault));
  return make('details', { class: 'finding', open },
    make('summary', {}, make('span', { class: 'summary-text' }, heading, ' ', make('span', {}, phrase(message[found], vault)))),
    make('div', { class: 'finding-body' },
      make('p', { class: 'soft on-screen' }, 'All about ', link),
      lines.length ? [make('p', { class: 'label' }, 'Evidence'), make('ul', { class: 'evidence' }, lines)] : '',
      more > 0 ? make('p', { class: 'soft' }, `and ${number.format(more)} more`) : '',
      fixes.length ? [make('p', { class: 'label' }, 'Commands that mend it'), commands(fixes)] : ''));
}

function evidenceLine([message, record, principal], vault) {
  const name = principal === NONE ? '' : text(principals.name[principal]);
  const id = phrase(record, vault);
  return make('li', {}, phrase(message, vault, name),
    principal === NONE ? '' : [' ', make('a', { class: 'more on-screen', href: principalLink(principal) }, make('span', { class: 'unseen' }, `${principalLabel(principal)}: `), 'all it holds')],
    make('div', { class: 'record' }, id));
}

function unknownLine(found, heading) {
  const { vault: on, message, gaps } = data.unknowns;
  const links = data.lists[gaps[found]].map((gap) => [' ', make('a', { href: `#${data.gapIds[gap]}`, title: data.gaps[gap] }, data.gapIds[gap])]);
  return make('li', {}, heading ?? vaultAnchor(on[found]), ' ', phrase(message[found], on[found]), links);
}

const byRule = { findings: data.rules.map(() => []), unknowns: data.rules.map(() => []) };
for (const kind of ['findings', 'unknowns']) data[kind].rule.forEach((rule, found) => byRule[kind][rule].push(found));

function fill(section, limit) {
  const rule = Number(section.dataset.rule);
  const lists = [[section.querySelector('.findings'), byRule.findings[rule], findingCard], [section.querySelector('.unknowns'), byRule.unknowns[rule], (found) => unknownLine(found)]];
  for (const [place, found, draw] of lists) {
    if (!place) continue;
    const button = section.querySelector(`[data-more="${place.className}"]`);
    const shown = place.children.length;
    place.append(...found.slice(shown, Math.max(limit, shown)).map((item) => draw(item)));
    const left = found.length - place.children.length;
    button.hidden = left <= 0;
    button.textContent = `Show more: ${number.format(left)} left`;
  }
}

function setUpFindings() {
  for (const section of document.querySelectorAll('details[data-rule]')) {
    section.addEventListener('toggle', () => { if (section.open) fill(section, FINDINGS_STEP); });
    for (const button of section.querySelectorAll('[data-more]')) {
      button.addEventListener('click', () => {
        const place = section.querySelector(`.${button.dataset.more}`);
        const first = place.children.length;
        fill(section, first + 5 * FINDINGS_STEP);
        place.children[first]?.querySelector('summary, a')?.focus();
      });
    }
  }
  const list = document.getElementById('severity-filter');
  list?.addEventListener('change', () => {
    let shown = 0;
    for (const section of document.querySelectorAll('details[data-rule]')) {
      section.hidden = list.value !== '' && section.dataset.severity !== list.value;
      shown += section.hidden ? 0 : 1;
    }
    document.getElementById('rule-status').textContent = count(shown, 'rule');
  });
}
