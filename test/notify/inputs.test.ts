import { expect, test } from '@jest/globals';
import { UserError } from '../../src/action/errors.ts';
import { parseInputs } from '../../src/action/inputs.ts';
import { notifyInputs, planNotify } from '../../src/notify/inputs.ts';

const parsed = (given: Readonly<Record<string, string>>, masked: string[] = []) =>
  parseInputs(notifyInputs, { get: (name) => given[name] ?? '', mask: (one) => void masked.push(one) });

function faultsOf(given: Readonly<Record<string, string>>): readonly string[] {
  try {
    planNotify(parsed(given));
  } catch (error) {
    if (error instanceof UserError) return error.problems.map(({ message }) => message);
    throw error;
  }
  return [];
}

test('nobody is told who is not given', () => {
  expect(planNotify(parsed({}))).toEqual({});
});

test('each target by its own inputs', () => {
  const masked: string[] = [];
  const inputs = parsed(
    {
      'pagerduty-routing-key': 'key',
      'pagerduty-url': 'https://events.eu.pagerduty.com',
      'alertmanager-url': 'http://127.0.0.1:9093/alerts',
      'alertmanager-user': 'ci',
      'alertmanager-password': 'pass',
      'grafana-url': 'https://grafana.acme.example',
      'grafana-token': 'glsa',
      'webhook-url': 'https://hooks.slack.com/services/T/B/secret',
    },
    masked,
  );
  expect(planNotify(inputs)).toEqual({
    pagerDuty: { url: 'https://events.eu.pagerduty.com', routingKey: 'key' },
    alertmanager: {
      url: 'http://127.0.0.1:9093/alerts',
      authorization: 'Basic Y2k6cGFzcw==',
      secrets: ['pass', 'Y2k6cGFzcw=='],
    },
    grafana: { url: 'https://grafana.acme.example', token: 'glsa' },
    webhook: { url: 'https://hooks.slack.com/services/T/B/secret' },
  });
  expect(masked).toEqual(expect.arrayContaining(['key', 'pass', 'glsa', '/services/T/B/secret']));
});

test('what is missing or would be read by others is told, all at once', () => {
  expect(
    faultsOf({
      'alertmanager-url': 'http://alerts.internal',
      'alertmanager-token': 't',
      'alertmanager-password': 'p',
      'grafana-url': 'https://grafana',
      'webhook-url': 'hooks.slack.com/services/x',
    }),
  ).toEqual([
    'input alertmanager-password is given without alertmanager-user',
    'input grafana-url is given without grafana-token',
    'input webhook-url is no address that begins with https://',
    'input alertmanager-url is not over TLS, and the token or password would be sent there for anyone to read',
  ]);
  expect(faultsOf({ 'alertmanager-url': 'http://alerts.internal' })).toEqual([]);
});

test.each(['ftp://x', 'https://user:pass@x', 'https://x?key=1', 'https://'])('%s is no address', (address) => {
  expect(() => parsed({ 'grafana-url': address })).toThrow('input grafana-url');
});
