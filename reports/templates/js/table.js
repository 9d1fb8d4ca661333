// A table of any length: rows are numbers, sorted and filtered as numbers; only one page of them is in the document.
const PAGE_ROWS = 50;
const PRINTED_ROWS = 5000;
const tables = [];

// columns: {label, value(row) for sorting, cell(row) -> text or element, numeric, first} ; filters: functions row -> bool.
function makeTable({ root, label, columns, rows, sort, empty }) {
  let order = rows.slice();
  let accepted = () => true;
  let state = { ...sort };
  let page = 0;
  let printing = false;

  const status = make('p', { class: 'status', role: 'status' });
  const body = make('tbody');
  const buttons = columns.map((column, index) =>
    make('button', { type: 'button', on: { click: () => sortBy(index) } }, column.label));
  const heads = columns.map((column, index) =>
    make('th', { scope: 'col', class: column.numeric ? 'number' : '' }, buttons[index]));
  const previous = make('button', { type: 'button', on: { click: () => turn(-1) } }, 'Previous');
  const next = make('button', { type: 'button', on: { click: () => turn(1) } }, 'Next');
  const where = make('span');
  const pager = make('div', { class: 'pager' }, previous, where, next);
  root.append(
    status,
    make('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label },
      make('table', {}, make('caption', { class: 'unseen' }, label), make('thead', {}, make('tr', {}, heads)), body)),
    pager,
  );

  function sortBy(index) {
    const down = state.column === index ? !state.down : Boolean(columns[index].numeric);
    state = { column: index, down };
    page = 0;
    arrange();
  }

  function arrange() {
    const { value } = columns[state.column];
    const keys = new Map(order.map((item) => [item, value(item)]));
    const sign = state.down ? -1 : 1;
    order.sort((one, other) => {
      const a = keys.get(one);
      const b = keys.get(other);
      return (a < b ? -sign : a > b ? sign : one - other);
    });
    heads.forEach((head, index) => {
      head.setAttribute('aria-sort', index === state.column ? (state.down ? 'descending' : 'ascending') : 'none');
    });
    show();
  }

  function turn(step) {
    page += step;
    show();
    root.scrollIntoView({ block: 'nearest' });
  }

  function show() {
    const size = printing ? PRINTED_ROWS : PAGE_ROWS;
    const first = printing ? 0 : page * PAGE_ROWS;
    const seen = order.slice(first, first + size);
    body.replaceChildren(...seen.map((item) => make('tr', {}, columns.map((column, index) =>
      make(index === 0 ? 'th' : 'td', { scope: index === 0 ? 'row' : null, class: column.numeric ? 'number' : '' }, column.cell(item))))));
    const cut = printing && order.length > PRINTED_ROWS ? `, the first ${number.format(PRINTED_ROWS)} printed` : '';
    status.textContent = order.length === rows.length
      ? `${count(rows.length, 'row')}${cut}`
      : `${number.format(order.length)} of ${count(rows.length, 'row')}${cut}`;
    if (!order.length) body.append(make('tr', {}, make('td', { colspan: columns.length, class: 'none' }, rows.length ? 'Nothing matches. Widen the search or the filters.' : empty)));
    pager.hidden = printing || order.length <= PAGE_ROWS;
    where.textContent = `Rows ${number.format(first + 1)} to ${number.format(first + seen.length)}`;
    previous.disabled = page === 0;
    next.disabled = first + seen.length >= order.length;
  }

  const table = {
    filter(test) {
      accepted = test;
      order = rows.filter(accepted);
      page = 0;
      arrange();
    },
    print(on) {
      printing = on;
      show();
    },
  };
  tables.push(table);
  arrange();
  return table;
}

// A search box and lists to choose from, which tell `changed` what they hold now.
function makeControls(root, { search, choices }, changed) {
  const values = {};
  const apply = () => changed(values);
  let timer = 0;
  const fields = choices.map(({ key, label, options }) => {
    values[key] = '';
    const list = make('select', { on: { change: (event) => { values[key] = event.target.value; apply(); } } },
      make('option', { value: '' }, 'Any'), options.map(([value, name]) => make('option', { value }, name)));
    return make('label', {}, make('span', {}, label), list);
  });
  values.search = '';
  const box = make('input', { type: 'search', autocomplete: 'off', spellcheck: 'false', on: {
    input: (event) => {
      values.search = event.target.value.trim().toLowerCase();
      clearTimeout(timer);
      timer = setTimeout(apply, 80);
    },
  } });
  root.append(make('div', { class: 'controls' }, make('label', { class: 'search' }, make('span', {}, search), box), fields));
}
