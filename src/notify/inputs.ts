import { type Problem, UserError } from '../action/errors.ts';
import { type Field, secret, text } from '../action/fields.ts';
import type { AlertmanagerSettings } from './alertmanager.ts';
import type { GrafanaSettings } from './grafana.ts';
import type { PagerDutySettings } from './pagerduty.ts';
import { type WebhookSettings, secretsOfUrl } from './webhook.ts';

const address = (options: { readonly default?: string } = {}): Field<string> =>
  text({
    ...options,
    // Credentials in an address would be shown with it.
    pattern: /https?:\/\/[^\s/@?#]+(\/[^\s@?#]*)?/,
    allowed: 'an address that begins with https:// or http://, without user, password and query',
  });

/** What an action takes that tells others how it goes. */
export const notifyInputs = {
  'pagerduty-routing-key': secret(),
  'pagerduty-url': address({ default: 'https://events.pagerduty.com' }),
  'alertmanager-url': address(),
  'alertmanager-token': secret(),
  'alertmanager-user': text({ pattern: /[^:]+/, allowed: 'a user name without a colon' }),
  'alertmanager-password': secret(),
  'grafana-url': address(),
  'grafana-token': secret(),
  'grafana-dashboard': text({ pattern: /[A-Za-z0-9_-]{1,40}/, allowed: 'the uid of a dashboard' }),
  'webhook-url': { ...secret(), secretsIn: secretsOfUrl },
} as const;

/** What of the inputs decides who is told; `''` where one is not given. */
export interface NotifyInputs {
  readonly pagerdutyRoutingKey: string;
  readonly pagerdutyUrl: string;
  readonly alertmanagerUrl: string;
  readonly alertmanagerToken: string;
  readonly alertmanagerUser: string;
  readonly alertmanagerPassword: string;
  readonly grafanaUrl: string;
  readonly grafanaToken: string;
  readonly grafanaDashboard: string;
  readonly webhookUrl: string;
}

/** Who is told; each is optional. */
export interface NotifySettings {
  readonly pagerDuty?: PagerDutySettings;
  readonly alertmanager?: AlertmanagerSettings;
  readonly grafana?: GrafanaSettings;
  readonly webhook?: WebhookSettings;
}

/**
 * Decides who is told.
 * @throws UserError when something of a target is missing, or a secret would go over a line that anyone may read
 */
export function planNotify(inputs: NotifyInputs): NotifySettings {
  const problems = faultsOf(inputs);
  if (problems.length > 0) throw UserError.all(problems, 'who is to be told is not clear');
  const { pagerdutyRoutingKey: routingKey, grafanaToken: token, grafanaDashboard: dashboardUid } = inputs;
  return {
    ...(routingKey && { pagerDuty: { url: inputs.pagerdutyUrl, routingKey } }),
    ...(inputs.alertmanagerUrl && { alertmanager: { url: inputs.alertmanagerUrl, ...signedIn(inputs) } }),
    ...(inputs.grafanaUrl && { grafana: { url: inputs.grafanaUrl, token, ...(dashboardUid && { dashboardUid }) } }),
    ...(inputs.webhookUrl && { webhook: { url: inputs.webhookUrl } }),
  };
}

function signedIn(inputs: NotifyInputs): Omit<AlertmanagerSettings, 'url'> {
  const { alertmanagerToken: token, alertmanagerUser: user, alertmanagerPassword: password } = inputs;
  if (token) return { authorization: `Bearer ${token}`, secrets: [token] };
  if (!user) return { secrets: [] };
  const basic = Buffer.from(`${user}:${password}`).toString('base64');
  return { authorization: `Basic ${basic}`, secrets: [password, basic] };
}

function faultsOf(inputs: NotifyInputs): readonly Problem[] {
  const { alertmanagerUrl, alertmanagerToken, alertmanagerUser, alertmanagerPassword } = inputs;
  const problems: Problem[] = [];
  const fault = (wrong: boolean, message: string, remedy: string): void => {
    if (wrong) problems.push({ message, remedy });
  };
  const needs = (name: string, value: string, needed: string, present: string): void =>
    fault(value !== '' && present === '', `input ${name} is given without ${needed}`, `give ${needed} too`);
  const openly = (name: string, url: string, secretName: string, given: boolean): void =>
    fault(
      given && url !== '' && !isPrivate(url),
      `input ${name} is not over TLS, and ${secretName} would be sent there for anyone to read`,
      'give an address that begins with https://',
    );
  needs('alertmanager-token', alertmanagerToken, 'alertmanager-url', alertmanagerUrl);
  needs('alertmanager-user', alertmanagerUser, 'alertmanager-url', alertmanagerUrl);
  needs('alertmanager-user', alertmanagerUser, 'alertmanager-password', alertmanagerPassword);
  needs('alertmanager-password', alertmanagerPassword, 'alertmanager-user', alertmanagerUser);
  needs('grafana-url', inputs.grafanaUrl, 'grafana-token', inputs.grafanaToken);
  needs('grafana-token', inputs.grafanaToken, 'grafana-url', inputs.grafanaUrl);
  needs('grafana-dashboard', inputs.grafanaDashboard, 'grafana-url', inputs.grafanaUrl);
  fault(
    alertmanagerToken !== '' && alertmanagerUser !== '',
    'inputs alertmanager-token and alertmanager-user are both given',
    'give the one that Alertmanager, or the proxy before it, asks for',
  );
  fault(
    inputs.webhookUrl !== '' && !isPrivate(inputs.webhookUrl),
    'input webhook-url is no address that begins with https://',
    "copy it whole from the chat's settings of incoming webhooks",
  );
  openly('pagerduty-url', inputs.pagerdutyUrl, 'pagerduty-routing-key', inputs.pagerdutyRoutingKey !== '');
  const signsIn = alertmanagerToken !== '' || alertmanagerPassword !== '';
  openly('alertmanager-url', alertmanagerUrl, 'the token or password', signsIn);
  openly('grafana-url', inputs.grafanaUrl, 'grafana-token', inputs.grafanaToken !== '');
  return problems;
}

/** What is sent there only the service reads: over TLS, or on this machine. No user stands in it. */
function isPrivate(raw: string): boolean {
  const url = URL.parse(raw);
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
}
