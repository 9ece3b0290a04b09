import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { type CredentialSource, endpointOf } from './credentials.ts';
import { credentialFault, isDenied, missingAction, told } from './errors.ts';
import { serviceHost } from './partition.ts';
import { AwsError, openRest } from './rest.ts';
import { type XmlElement, allAt, parseXml, xmlText } from './xml-tree.ts';

/** Where a rule of a listener forwards requests to. */
export interface Forward {
  /** ARN. */
  readonly targetGroup: string;
  /** From 0 to 999, a proportion. */
  readonly weight: number;
}

/** One target of a group, such as a pod's address; `state` as DescribeTargetHealth has it: `healthy`, `initial`, … */
export interface TargetState {
  readonly id: string;
  readonly state: string;
}

/** What is asked of Elastic Load Balancing v2. Refusals are UserErrors that name the IAM action. */
export interface Elb {
  /** ARN of the load balancer with this DNS name. */
  find(dnsName: string): Promise<string | undefined>;
  /** What each rule of each listener of a load balancer forwards to; rules that do not forward are left out. */
  forwards(loadBalancer: string): Promise<readonly (readonly Forward[])[]>;
  health(targetGroup: string): Promise<readonly TargetState[]>;
}

/** Of the Query API (Elastic Load Balancing API reference, version). */
const VERSION = '2015-12-01';
/** Pages of a list: at 400 load balancers or rules each, more than an account may have. */
const MOST_PAGES = 50;

export function openElb(
  credentials: CredentialSource,
  region: string,
  host: Pick<Host, 'env' | 'signal' | 'clock'>,
): Elb {
  const service = 'elasticloadbalancing';
  const endpoint = endpointOf(host.env, 'ELASTIC_LOAD_BALANCING_V2') ?? `https://${serviceHost(service, region)}`;
  const options = { credentials, clock: host.clock, signal: host.signal, proxyEnv: host.env };
  const rest = openRest({ name: service, endpoint, region }, options);

  const ask = async (action: string, parameters: Readonly<Record<string, string>>): Promise<XmlElement> => {
    const body = new URLSearchParams({ Action: action, Version: VERSION, ...parameters }).toString();
    try {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await rest({ method: 'POST', path: '/', headers, body });
      const [result] = allAt(parseXml(answer.body.toString('utf8')), `${action}Response`, `${action}Result`);
      if (result === undefined) throw new Error(`Elastic Load Balancing answered ${action} without a result`);
      return result;
    } catch (error) {
      host.signal.throwIfAborted();
      throw error instanceof AwsError ? explain(error, action) : error;
    }
  };

  /** The members of a list, over all its pages. */
  const list = async (
    action: string,
    field: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<readonly XmlElement[]> => {
    const members: XmlElement[] = [];
    let marker = '';
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const result = await ask(action, { ...parameters, ...(marker !== '' && { Marker: marker }) });
      members.push(...allAt(result, field, 'member'));
      marker = xmlText(result, 'NextMarker');
      if (marker === '') break;
    }
    return members;
  };

  return {
    async find(dnsName) {
      const all = await list('DescribeLoadBalancers', 'LoadBalancers', {});
      const found = all.find((one) => xmlText(one, 'DNSName').toLowerCase() === dnsName.toLowerCase());
      return found && xmlText(found, 'LoadBalancerArn');
    },
    async forwards(loadBalancer) {
      const listeners = await list('DescribeListeners', 'Listeners', { LoadBalancerArn: loadBalancer });
      const rules = await Promise.all(
        listeners.map(async (one) => list('DescribeRules', 'Rules', { ListenerArn: xmlText(one, 'ListenerArn') })),
      );
      return rules
        .flat()
        .flatMap((rule) => allAt(rule, 'Actions', 'member').map(forwardOf))
        .filter(({ length }) => length > 0);
    },
    async health(targetGroup) {
      const result = await ask('DescribeTargetHealth', { TargetGroupArn: targetGroup });
      return allAt(result, 'TargetHealthDescriptions', 'member').map((one) => ({
        id: xmlText(one, 'Target', 'Id'),
        state: xmlText(one, 'TargetHealth', 'State'),
      }));
    },
  };
}

function forwardOf(action: XmlElement): readonly Forward[] {
  if (xmlText(action, 'Type') !== 'forward') return [];
  const groups = allAt(action, 'ForwardConfig', 'TargetGroups', 'member').map((one) => ({
    targetGroup: xmlText(one, 'TargetGroupArn'),
    weight: Number(xmlText(one, 'Weight') || 1),
  }));
  const single = xmlText(action, 'TargetGroupArn');
  return groups.length === 0 && single !== '' ? [{ targetGroup: single, weight: 1 }] : groups;
}

function explain(error: AwsError, action: string): UserError {
  const fault = credentialFault(error);
  if (fault !== undefined) return fault;
  if (isDenied(error)) {
    return new UserError(`The role may not look at the load balancer: ${told(error)}`, {
      remedy: `Allow the IAM action ${missingAction(error, `elasticloadbalancing:${action}`)} to the role.`,
      cause: error,
    });
  }
  return new UserError(`Elastic Load Balancing refused ${action} (${error.name}): ${told(error)}`, {
    remedy: 'What it says is what has to be mended.',
    cause: error,
  });
}
