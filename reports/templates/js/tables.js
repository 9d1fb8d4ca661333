// The two tables: vaults with who can read their secrets, and principals.
const MODEL_NAMES = ['Azure RBAC', 'access policies'];

function modelName(vault) {
  const model = vaults.model[vault];
  if (model === NONE) return 'could not be read';
  const source = text(vaults.source[vault]);
  return source === 'explicit' ? MODEL_NAMES[model] : `${MODEL_NAMES[model]} (${source})`;
}

function worstBadge(vault) {
  const found = findingsOf[vault].length;
  const unknown = unknownsOf[vault].length;
  return make('span', { class: 'worst' },
    found ? [badge(severityName(worstOf[vault])), ` ${found}`] : '',
    unknown ? [found ? ' ' : '', badge('unknown', `${unknown} unknown`)] : '',
    !found && !unknown ? make('span', { class: 'soft' }, 'none') : '');
}

function numberColumn(label, column, show = (value) => (value ? number.format(value) : make('span', { class: 'zero' }, '0'))) {
  return { label, numeric: true, value: (vault) => column[vault], cell: (vault) => show(column[vault], vault) };
}

function groupsCell(value, vault) {
  if (!value) return make('span', { class: 'zero' }, '0');
  const members = vaults.members[vault];
  return members ? [number.format(value), make('div', { class: 'place' }, count(members, 'person', 'people'))] : number.format(value);
}

const readable = (vault) => vaults.people[vault] + vaults.guests[vault] + vaults.groups[vault] + vaults.workloads[vault] + vaults.others[vault];

const ANSWER_TESTS = {
  people: (vault) => vaults.people[vault] + vaults.members[vault] > 0,
  guests: (vault) => vaults.guests[vault] > 0,
  allowed: (vault) => readable(vault) > 0,
  conditional: (vault) => vaults.conditional[vault] > 0,
  unknown: (vault) => vaults.unknown[vault] > 0 || vaults.hidden[vault] > 0,
  nobody: (vault) => readable(vault) + vaults.conditional[vault] + vaults.unknown[vault] + vaults.hidden[vault] === 0,
};

function vaultTable() {
  const root = document.getElementById('vault-table');
  const columns = [
    { label: 'Vault', value: (vault) => text(vaults.name[vault]).toLowerCase(), cell: (vault) => [vaultAnchor(vault), make('div', { class: 'place' }, text(vaults.subscription[vault]))] },
    { label: 'Model', value: modelName, cell: (vault) => make('span', { class: 'model' }, modelName(vault)) },
    { label: 'Findings', numeric: false, value: (vault) => worstOf[vault] * 1000 - findingsOf[vault].length, cell: worstBadge },
    numberColumn('People', vaults.people),
    numberColumn('Guests', vaults.guests),
    numberColumn('Groups', vaults.groups, groupsCell),
    numberColumn('Workloads', vaults.workloads),
    // Most estates have none: a column of zeros would push what matters out of sight.
    ...(vaults.others.some(Boolean) ? [numberColumn('Others', vaults.others)] : []),
    numberColumn('Conditional', vaults.conditional),
    numberColumn('Unknown', vaults.unknown, (value, vault) => `${number.format(value)}${vaults.hidden[vault] ? '+' : ''}`),
  ];
  const rows = Array.from(vaults.name, (_, vault) => vault);
  let haystack = null;
  const holders = document.createElement('div');
  const subscriptions = [...new Set(vaults.subscription)].map(text).sort();
  const controls = {
    search: 'Search vault, group, subscription, tag',
    choices: [
      { key: 'answer', label: 'Secrets readable by', options: [['allowed', 'somebody'], ['people', 'people'], ['guests', 'guests'], ['conditional', 'somebody, on a condition'], ['unknown', 'cannot be told'], ['nobody', 'nobody']] },
      { key: 'model', label: 'Permission model', options: [['0', 'Azure RBAC'], ['1', 'access policies'], ['implicit', 'not written down'], ['-1', 'could not be read']] },
      { key: 'severity', label: 'Finding', options: [...data.severities.map((name, rank) => [String(rank), name]), ['unknown', 'unknown verdict'], ['none', 'none']] },
      { key: 'subscription', label: 'Subscription', options: subscriptions.map((name) => [name, name || 'none']) },
    ],
  };
  root.append(holders);
  const table = makeTable({ root, label: 'Vaults and who can read their secrets', columns, rows, sort: { column: 2, down: false }, empty: 'No vault was found in what was asked.' });
  makeControls(holders, controls, (wanted) => {
    haystack ??= rows.map((vault) => [vaults.name, vaults.group, vaults.subscription, vaults.location, vaults.tags]
      .map((column) => text(column[vault])).join('\n').toLowerCase());
    table.filter((vault) => (!wanted.search || haystack[vault].includes(wanted.search))
      && (!wanted.answer || ANSWER_TESTS[wanted.answer](vault))
      && (!wanted.model || hasModel(vault, wanted.model))
      && (!wanted.severity || hasFinding(vault, wanted.severity))
      && (!wanted.subscription || text(vaults.subscription[vault]) === wanted.subscription));
  });
}

function hasModel(vault, wanted) {
  if (wanted === 'implicit') return vaults.model[vault] === 1 && text(vaults.source[vault]) !== 'explicit';
  return String(vaults.model[vault]) === wanted;
}

function hasFinding(vault, wanted) {
  if (wanted === 'unknown') return unknownsOf[vault].length > 0;
  if (wanted === 'none') return findingsOf[vault].length + unknownsOf[vault].length === 0;
  return findingsOf[vault].some((found) => String(data.rules[data.findings.rule[found]].severity) === wanted);
}

const KIND_NAMES = { person: 'person', guest: 'guest', workload: 'workload', group: 'group', foreign: 'from another tenant', unresolved: 'not resolved' };
const kindName = (principal) => KIND_NAMES[data.kinds[principals.kind[principal]]];

function principalTable() {
  const root = document.getElementById('principal-table');
  const total = principals.id.length;
  const tally = { allowed: new Uint32Array(total), conditional: new Uint32Array(total), unknown: new Uint32Array(total), any: new Uint32Array(total) };
  const answers = data.rows.map((_, index) => answerOfRow(row(index)));
  vaults.rows.forEach((numbers) => {
    if (numbers === NONE) return;
    for (const index of numbers) {
      const [holder, object] = data.rows[index];
      if (holder === NONE || object !== NONE) continue;
      tally.any[holder] += 1;
      if (answers[index] !== 'denied') tally[answers[index]][holder] += 1;
    }
  });
  const columns = [
    { label: 'Principal', value: (item) => (text(principals.name[item]) || '~').toLowerCase(), cell: principalAnchor },
    { label: 'Kind', value: kindName, cell: kindName },
    { label: 'Account', value: (item) => text(principals.account[item]), cell: (item) => make('span', { class: 'account' }, text(principals.account[item]) || principalId(item)) },
    numberColumn('Vaults', tally.any),
    numberColumn('Reads secrets', tally.allowed),
    numberColumn('Conditional', tally.conditional),
    numberColumn('Unknown', tally.unknown),
  ];
  const rows = Array.from(principals.id, (_, item) => item);
  const holder = document.createElement('div');
  root.append(holder);
  const table = makeTable({ root, label: 'Principals and the vaults they reach', columns, rows, sort: { column: 4, down: true }, empty: 'No record names anybody.' });
  const controls = {
    search: 'Search name, account, object ID',
    choices: [
      { key: 'kind', label: 'Kind', options: data.kinds.map((name, index) => [String(index), KIND_NAMES[name]]) },
      { key: 'answer', label: 'Reads secrets', options: [['allowed', 'yes'], ['conditional', 'on a condition'], ['unknown', 'cannot be told']] },
    ],
  };
  let haystack = null;
  makeControls(holder, controls, (wanted) => {
    haystack ??= rows.map((item) => `${text(principals.name[item])}\n${text(principals.account[item])}\n${principalId(item)}`.toLowerCase());
    table.filter((item) => (!wanted.search || haystack[item].includes(wanted.search))
      && (!wanted.kind || String(principals.kind[item]) === wanted.kind)
      && (!wanted.answer || tally[wanted.answer][item] > 0));
  });
}
