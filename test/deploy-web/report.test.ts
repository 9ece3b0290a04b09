import { expect, test } from '@jest/globals';
import { UserError } from '../../src/action/errors.ts';
import { type WebReport, summary } from '../../src/deploy-web/report.ts';
import { type Files, memoryWeb } from './memory-web.ts';

const site = (text: string): Files => ({ 'index.html': text, 'about.html': 'about' });

const page = (given: Pick<WebReport, 'verdict' | 'record' | 'fault'>): string =>
  summary({
    environment: 'production',
    bucket: 'acme-web',
    url: '',
    preview: undefined,
    info: { sha: 'ffffffffff', actor: 'mia' } as WebReport['info'],
    ...given,
  });

test('a rollback tells both commits, and not that of the run', async () => {
  const web = memoryWeb();
  const [one, two] = [await web.deploy(site('one')), await web.deploy(site('two'))];
  const { verdict, record } = await web.rollBack();
  const told = page({ verdict, record });
  expect(told).toContain(
    `**Served now:** \`${one.id}\` (commit \`0123456\`), in place of \`${two.id}\` (commit \`0123456\`); 1 file was put back`,
  );
  expect(told).toContain(`**To undo this:** run deploy-web with \`action: rollback, to: ${two.id}\``);
  expect(told).not.toContain('fffffff');
});

test('a deploy that failed before the pages offers no way back from what is not there', async () => {
  const web = memoryWeb();
  await web.deploy(site('one'));
  const { record } = await web.deploy(site('two'));
  record.isServed = false;
  record.progress.switched = 0;
  const told = page({ verdict: 'failed', record, fault: new UserError('no', { remedy: 'mend it' }) });
  expect(told).toContain('is served, whole as before');
  expect(told).not.toContain('To go back');
  record.progress.switched = 1;
  record.toSwitch = 2;
  expect(page({ verdict: 'failed', record, fault: new UserError('no') })).toContain('To go back');
});
