import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import { App, Trouble } from '../src/app.tsx';

test('the page counts and marks what is late, and says where it runs', () => {
  const page = renderToStaticMarkup(
    <App
      config={{ SITE: 'staging' }}
      today="2026-11-24"
      shipments={[
        { id: 'LC-1', destination: 'Graz', state: 'in-transit', due: '2026-11-20' },
        { id: 'LC-2', destination: 'Linz <b>', state: 'registered', due: '2026-12-01' },
      ]}
    />,
  );
  expect(page).toContain('<strong>1</strong> late');
  expect(page).toContain('<li class="late"><b>LC-1</b>');
  expect(page).toContain('was due 2026-11-20');
  expect(page).toContain('to Linz &lt;b&gt;');
  expect(page).toContain('<p>staging</p>');
});

test('trouble is said in words', () => {
  expect(renderToStaticMarkup(<Trouble why="config.json answers 404" />)).toContain('config.json answers 404');
});
