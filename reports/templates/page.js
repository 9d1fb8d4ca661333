'use strict';
// The tables of the report: the data is columns of numbers into a list of texts; only the rows in view become elements.
const data = JSON.parse(document.getElementById('data').textContent);
const text = (index) => data.texts[index];
const PAGE = 200;

function makeTable(name, filters) {
  const table = data.tables[name];
  const root = document.getElementById(name);
  const body = root.querySelector('tbody');
  const status = root.querySelector('[role=status]');
  const search = root.querySelector('input');
  const selects = [...root.querySelectorAll('select')];
  const more = root.querySelector('button.more');
  const columns = table.columns;
  const count = columns.length ? columns[0].length : 0;
  const numeric = table.numeric;
  const haystack = Array.from({ length: count }, (_, row) => columns.map((column, index) => numeric.includes(index) ? '' : text(column[row])).join('\n').toLowerCase());
  let order = Array.from({ length: count }, (_, row) => row);
  let sort = null;
  let shown = PAGE;
  let matching = order;

  function cell(row, index) {
    const td = document.createElement('td');
    const value = columns[index][row];
    if (numeric.includes(index)) { td.textContent = value; td.className = 'number'; return td; }
    const words = text(value);
    const link = table.links[index];
    if (link && words) {
      const a = document.createElement('a');
      a.href = '#' + link + '-' + columns[table.anchors[index]][row];
      a.textContent = words;
      td.append(a);
    } else if (table.tags.includes(index)) {
      for (const word of words ? [words] : []) {
        const tag = document.createElement('span');
        tag.className = 'tag ' + (/^[a-z_]+$/.test(word) ? word : '');
        tag.textContent = word.replace('_', ' ');
        td.append(tag);
      }
    } else { td.textContent = words; }
    return td;
  }

  function draw() {
    const rows = matching.slice(0, shown).map((row) => {
      const tr = document.createElement('tr');
      for (const index of table.visible) tr.append(cell(row, index));
      return tr;
    });
    body.replaceChildren(...rows);
    const cut = matching.length > rows.length ? ', the first ' + rows.length + ' are shown' : '';
    status.textContent = matching.length.toLocaleString() + ' of ' + count.toLocaleString() + ' rows' + cut;
    more.hidden = matching.length <= rows.length;
  }

  function update() {
    const words = search.value.trim().toLowerCase();
    const wanted = selects.map((select, index) => [filters[index], select.value]).filter(([, value]) => value !== '');
    matching = order.filter((row) => (!words || haystack[row].includes(words)) && wanted.every(([column, value]) => text(columns[column][row]) === value));
    shown = PAGE;
    draw();
  }

  selects.forEach((select, index) => {
    const values = [...new Set(columns[filters[index]].map(text))].filter(Boolean).sort();
    for (const value of values) {
      const option = document.createElement('option');
      option.value = value;
      option.textContent = value.replace('_', ' ');
      select.append(option);
    }
    select.addEventListener('change', update);
  });
  search.addEventListener('input', update);
  more.addEventListener('click', () => { shown += 5 * PAGE; draw(); });
  root.querySelectorAll('th button').forEach((button, position) => {
    button.addEventListener('click', () => {
      const index = table.visible[position];
      const descending = sort === index && button.parentElement.getAttribute('aria-sort') === 'ascending';
      sort = index;
      root.querySelectorAll('th').forEach((th) => th.removeAttribute('aria-sort'));
      button.parentElement.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      const key = numeric.includes(index) ? (row) => columns[index][row] : (row) => text(columns[index][row]).toLowerCase();
      const sign = descending ? -1 : 1;
      order = order.map((row) => [key(row), row]).sort((a, b) => (a[0] < b[0] ? -sign : a[0] > b[0] ? sign : a[1] - b[1])).map((pair) => pair[1]);
      update();
    });
  });
  addEventListener('beforeprint', () => { shown = 5000; draw(); });
  addEventListener('afterprint', () => { shown = PAGE; draw(); });
  update();
}

function openTarget() {
  const target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  for (let element = target; element; element = element.parentElement) if (element.tagName === 'DETAILS') element.open = true;
  if (target) target.scrollIntoView();
}

makeTable('vaults', [1, 6, 7]);
makeTable('access', [3, 4]);
for (const button of document.querySelectorAll('button.copy')) {
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = 'Copied';
  });
}
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((item) => { item.dataset.was = item.open; item.open = true; }));
addEventListener('afterprint', () => document.querySelectorAll('details').forEach((item) => { item.open = item.dataset.was === 'true'; }));
addEventListener('hashchange', openTarget);
openTarget();
