// One vault or one principal on a page of its own: drawn when a link leads to it.
function definition(pairs) {
  return make('dl', {}, pairs.filter(([, value]) => value).map(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
}

// The strongest answer first; each answer with its operations, then the records as sentences.
function held(item, vault) {
  const lines = [['allowed', item.allowed], ['conditional', item.conditional], ['unknown', item.unknown]]
    .filter(([, set]) => data.sets[set].length)
    .map(([answer, set]) => make('p', { class: 'held' }, badge(answer), ' ', words(set)));
  const name = item.principal === NONE ? '' : principalLabel(item.principal);
  const because = item.because.map((sentence) => make('li', {}, phrase(sentence, vault, name)));
  return [lines, because.length ? make('ul', { class: 'because' }, because) : '', routesOf(item)];
}

// Routes to what it does not hold: kvaudit who-can --include-escalation tells the records that give them.
function routesOf(item) {
  if (!item.routes.length) return '';
  const names = item.routes.map((number) => `${data.routes[number].id} ${data.routes[number].title}`);
  const lead = holds(item) ? 'Routes to more' : 'Holds nothing here, and has routes to it';
  return make('details', { class: 'routes' }, make('summary', {}, `${lead}: ${item.routes.map((number) => data.routes[number].id).join(' ')}`),
    make('ul', { class: 'because' }, names.map((name) => make('li', {}, name))));
}

const holds = (item) => [item.allowed, item.conditional, item.unknown].some((set) => data.sets[set].length);

function holder(item, vault, heading) {
  const object = text(item.object);
  const application = text(item.application);
  return make('section', { class: 'holder' },
    make('h3', {}, heading, object ? make('span', { class: 'soft' }, ` on ${object}`) : '',
      application ? make('span', { class: 'soft' }, ` only through application ${application}`) : ''),
    held(item, vault));
}

const RANK = { allowed: 0, conditional: 1, unknown: 2, denied: 3 };
const HOLDERS_STEP = 100;

// Sections a hundred at a time: a principal may hold something on ten thousand vaults.
function inSteps(items, draw) {
  const place = make('div', {});
  const button = make('button', { type: 'button', on: { click: () => more() } });
  function more() {
    const first = place.children.length;
    place.append(...items.slice(first, first + HOLDERS_STEP).map(draw));
    button.hidden = place.children.length >= items.length;
    button.textContent = `Show more: ${number.format(items.length - place.children.length)} left`;
    if (first) place.children[first].querySelector('a')?.focus();
  }
  more();
  return [place, button];
}

function vaultDetail(vault) {
  const found = findingsOf[vault].map((item) => findingCard(item, {
    heading: ruleHeading(data.findings.rule[item], false),
    link: ruleAnchor(data.findings.rule[item], 'this rule'),
    open: findingsOf[vault].length <= 2,
  }));
  const unknown = unknownsOf[vault].map((item) => unknownLine(item, ruleHeading(data.unknowns.rule[item], true)));
  const rows = vaults.rows[vault] === NONE ? null : vaults.rows[vault].map(row);
  rows?.sort((one, other) => RANK[answerOfRow(one)] - RANK[answerOfRow(other)]);
  return [
    make('p', { class: 'kind' }, 'Vault'),
    make('h2', { tabindex: '-1' }, text(vaults.name[vault])),
    definition([
      ['Permission model', modelName(vault)],
      ['Subscription', text(vaults.subscription[vault])],
      ['Resource group', text(vaults.group[vault])],
      ['Location', text(vaults.location[vault])],
      ['Network', text(vaults.network[vault])],
      ['Purge protection', vaults.purge[vault] === NONE ? 'could not be read' : vaults.purge[vault] ? 'on' : 'off'],
      ['Tags', text(vaults.tags[vault])],
      ['Resource ID', make('code', {}, phrase(vaults.id[vault], vault))],
    ]),
    make('h2', { class: 'part' }, count(found.length, 'finding')),
    found,
    unknown.length ? [make('h3', {}, `Unknown because of gaps`), make('ul', { class: 'unknowns' }, unknown)] : '',
    make('h2', { class: 'part' }, 'Who holds what'),
    rows === null ? make('p', {}, 'This report is too large to hold the rows of every vault. Those of this one stand in access.csv, and kvaudit who-can tells them.')
      : rows.length ? inSteps(rows, (item) => holder(item, vault, [principalAnchor(item.principal), make('span', { class: 'soft' }, item.principal === NONE ? '' : ` ${kindName(item.principal)}`)]))
        : make('p', {}, 'No record gives anybody access to the data of this vault, or a route to it.'),
  ];
}

function ruleAnchor(rule, words) {
  return make('a', { href: `#rule-${data.rules[rule].id}` }, words);
}

function ruleHeading(rule, linked) {
  const { severity, title } = data.rules[rule];
  return [badge(severityName(severity)), ' ', linked ? ruleAnchor(rule, title) : make('strong', {}, title), make('br')];
}

const VAULTS_NAMED = 12;

// The findings whose evidence names a principal, rule by rule: a right over the control plane gives no row of access.
function findingsThatName(principal) {
  const { vault, rule, evidence } = data.findings;
  const names = new Map();
  const vaultsOf = new Map();
  evidence.forEach((list, found) => {
    if (!names.has(list)) names.set(list, data.lists[list].some((value, index) => index % 3 === 2 && value === principal));
    if (names.get(list)) vaultsOf.set(rule[found], [...(vaultsOf.get(rule[found]) ?? []), vault[found]]);
  });
  const lines = [...vaultsOf].sort(([one], [other]) => data.rules[one].severity - data.rules[other].severity || one - other).map(([number, on]) => make('li', {},
    ruleHeading(number, true), `${count(on.length, 'vault')}: `,
    on.slice(0, VAULTS_NAMED).flatMap((item, index) => [index ? ', ' : '', vaultAnchor(item)]),
    on.length > VAULTS_NAMED ? ` and ${count(on.length - VAULTS_NAMED, 'more', 'more')}` : ''));
  return lines.length ? [make('h2', { class: 'part' }, 'Findings that name it'), make('ul', { class: 'unknowns' }, lines)] : '';
}

function principalDetail(principal) {
  const rows = rowsOfPrincipal(principal).map(([vault, index]) => [vault, row(index)]);
  rows.sort((one, other) => RANK[answerOfRow(one[1])] - RANK[answerOfRow(other[1])] || one[0] - other[0]);
  const vaultCount = new Set(rows.filter(([, item]) => holds(item)).map(([vault]) => vault)).size;
  return [
    make('p', { class: 'kind' }, `Principal: ${kindName(principal)}`),
    make('h2', { tabindex: '-1' }, text(principals.name[principal]) || principalId(principal)),
    definition([
      ['Account', text(principals.account[principal])],
      ['Object ID', make('code', {}, principalId(principal))],
      ['Directory', text(principals.state[principal]).replaceAll('_', ' ')],
    ]),
    findingsThatName(principal),
    make('h2', { class: 'part' }, vaultCount ? `What it holds on ${count(vaultCount, 'vault')}` : 'What it holds'),
    make('p', { class: 'soft' }, 'Rows name the holders that records name. What somebody holds through a group that a record names stands with the group.'),
    rows.length ? inSteps(rows, ([vault, item]) => holder(item, vault, vaultAnchor(vault))) : make('p', {}, 'No record that is shown here gives it access to data.'),
  ];
}
