// What the AWS Load Balancer Controller does, for one Ingress of one path: that controller needs an AWS of its own, so
// this reads the same annotations and asks the emulator's Elastic Load Balancing for the same things.
import { setTimeout as sleep } from 'node:timers/promises';
import type { CredentialSource } from '../../src/aws/credentials.ts';
import { openRest } from '../../src/aws/rest.ts';
import { allAt, parseXml, xmlText } from '../../src/aws/xml-tree.ts';
import { at, itemsAt, textAt } from '../../src/kube/fields.ts';
import type { Kube, ObjectRef } from '../../src/kube/kube.ts';
import type { LabFacts } from '../lab/part.ts';
import { signedAs } from '../lab/parts/aws-moto.ts';
import { assumeRole } from '../lab/session.ts';
import { never, realClock } from './shop.ts';

export interface LoadBalancer {
  /** The name that the Ingress gets as its address. */
  readonly dnsName: string;
  readonly credentials: CredentialSource;
  /** Milliseconds by which it follows the Ingress late. */
  setDelay(ms: number): void;
  /** Weights by Service, as the load balancer has them now. */
  weights(): Promise<Readonly<Record<string, number>>>;
  stop(): Promise<void>;
}

const BINDING = { apiVersion: 'elbv2.k8s.aws/v1beta1', kind: 'TargetGroupBinding' };

export async function openLoadBalancer(facts: LabFacts, admin: Kube, ingress: ObjectRef): Promise<LoadBalancer> {
  const { aws } = facts;
  if (!aws) throw new Error('the lab gave no AWS');
  const keys = await assumeRole(facts);
  const credentials: CredentialSource = async () => ({
    accessKeyId: keys.AWS_ACCESS_KEY_ID,
    secretAccessKey: keys.AWS_SECRET_ACCESS_KEY,
    sessionToken: keys.AWS_SESSION_TOKEN,
  });
  const service = { name: 'elasticloadbalancing', endpoint: aws.endpoint, region: aws.region } as const;
  const rest = openRest(service, { credentials, clock: realClock, signal: never, proxyEnv: {} });
  const form = (action: string, version: string, parameters: Record<string, string>): string =>
    new URLSearchParams({ Action: action, Version: version, ...parameters }).toString();
  const ask = async (action: string, parameters: Record<string, string>) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = form(action, '2015-12-01', parameters);
    const answer = await rest({ method: 'POST', path: '/', headers, body });
    return parseXml(answer.body.toString('utf8'));
  };
  const network = async (action: string, parameters: Record<string, string>, name: string): Promise<string> => {
    const headers = {
      authorization: signedAs(keys.AWS_ACCESS_KEY_ID, 'ec2', aws.region),
      'x-amz-security-token': keys.AWS_SESSION_TOKEN,
      'content-type': 'application/x-www-form-urlencoded',
    };
    const answer = await fetch(aws.endpoint, { method: 'POST', headers, body: form(action, '2016-11-15', parameters) });
    return new RegExp(`<${name}>([^<]+)<`).exec(await answer.text())?.[1] ?? '';
  };
  const vpc = await network('CreateVpc', { CidrBlock: '10.0.0.0/16' }, 'vpcId');
  const subnets = await Promise.all(
    ['a', 'b'].map(async (zone, index) =>
      network(
        'CreateSubnet',
        { VpcId: vpc, CidrBlock: `10.0.${index}.0/24`, AvailabilityZone: `${aws.region}${zone}` },
        'subnetId',
      ),
    ),
  );
  const made = await ask('CreateLoadBalancer', {
    Name: ingress.namespace ?? '',
    'Subnets.member.1': subnets[0] ?? '',
    'Subnets.member.2': subnets[1] ?? '',
  });
  const of = ['CreateLoadBalancerResponse', 'CreateLoadBalancerResult', 'LoadBalancers', 'member'];
  const arn = xmlText(made, ...of, 'LoadBalancerArn');
  const dnsName = xmlText(made, ...of, 'DNSName');
  const listening = await ask('CreateListener', {
    LoadBalancerArn: arn,
    Protocol: 'HTTP',
    Port: '80',
    'DefaultActions.member.1.Type': 'fixed-response',
    'DefaultActions.member.1.FixedResponseConfig.StatusCode': '404',
  });
  const listener = xmlText(
    listening,
    'CreateListenerResponse',
    'CreateListenerResult',
    'Listeners',
    'member',
    'ListenerArn',
  );
  const groups = new Map<string, string>();
  let rule = '';
  let inForce = '';
  let delay = 0;

  async function groupOf(name: string): Promise<string> {
    const known = groups.get(name);
    if (known !== undefined) return known;
    const answer = await ask('CreateTargetGroup', {
      Name: `${ingress.namespace}-${name.slice(-8)}`,
      Protocol: 'HTTP',
      Port: '80',
      VpcId: vpc,
      TargetType: 'ip',
    });
    const group = xmlText(
      answer,
      'CreateTargetGroupResponse',
      'CreateTargetGroupResult',
      'TargetGroups',
      'member',
      'TargetGroupArn',
    );
    const serviceRef = { name, port: 80 };
    const metadata = { name: `k8s-${name}`, ...(ingress.namespace !== undefined && { namespace: ingress.namespace }) };
    await admin.create({ ...BINDING, metadata, spec: { targetGroupARN: group, targetType: 'ip', serviceRef } });
    groups.set(name, group);
    return group;
  }

  async function register(): Promise<void> {
    for (const [name, group] of groups) {
      const labelSelector = `kubernetes.io/service-name=${name}`;
      const namespace = ingress.namespace ?? '';
      const slices = await admin.list({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        namespace,
        labelSelector,
      });
      const addresses = slices
        .flatMap((slice) => itemsAt(slice, 'endpoints'))
        .map((one) => textAt(one, 'addresses', 0));
      const targets = addresses.map((address, index) => [`Targets.member.${index + 1}.Id`, address]);
      if (targets.length > 0) await ask('RegisterTargets', { TargetGroupArn: group, ...Object.fromEntries(targets) });
    }
  }

  async function follow(): Promise<void> {
    const live = await admin.get(ingress);
    const backend = at(live, 'spec', 'rules', 0, 'http', 'paths', 0, 'backend', 'service');
    const name = textAt(backend, 'name');
    const said = live?.metadata.annotations?.[`alb.ingress.kubernetes.io/actions.${name}`];
    const direct = [{ serviceName: name, weight: 1 }];
    const ways =
      textAt(backend, 'port', 'name') === 'use-annotation'
        ? (JSON.parse(said ?? '{}') as { forwardConfig: { targetGroups: typeof direct } }).forwardConfig.targetGroups
        : direct;
    const wanted = JSON.stringify(ways);
    if (wanted !== inForce) {
      await sleep(delay);
      const members = await Promise.all(
        ways.map(async ({ serviceName, weight }, index) => {
          const at = `Actions.member.1.ForwardConfig.TargetGroups.member.${index + 1}`;
          return [
            [`${at}.TargetGroupArn`, await groupOf(serviceName)],
            [`${at}.Weight`, String(weight)],
          ];
        }),
      );
      const action = { 'Actions.member.1.Type': 'forward', ...Object.fromEntries(members.flat()) };
      if (rule === '') {
        const answer = await ask('CreateRule', {
          ListenerArn: listener,
          Priority: '1',
          'Conditions.member.1.Field': 'path-pattern',
          'Conditions.member.1.Values.member.1': '/*',
          ...action,
        });
        rule = xmlText(answer, 'CreateRuleResponse', 'CreateRuleResult', 'Rules', 'member', 'RuleArn');
      } else await ask('ModifyRule', { RuleArn: rule, ...action });
      for (const name of groups.keys()) if (!ways.some(({ serviceName }) => serviceName === name)) await drop(name);
      inForce = wanted;
    }
    await register();
  }

  async function drop(name: string): Promise<void> {
    await ask('DeleteTargetGroup', { TargetGroupArn: groups.get(name) ?? '' });
    const { namespace } = ingress;
    await admin.delete({ ...BINDING, name: `k8s-${name}`, ...(namespace !== undefined && { namespace }) });
    groups.delete(name);
  }

  const ended = new AbortController();
  const following = (async () => {
    const status = { status: { loadBalancer: { ingress: [{ hostname: dnsName }] } } };
    await admin.patch(ingress, status, { subresource: 'status' });
    while (!ended.signal.aborted) {
      await follow();
      await sleep(200);
    }
  })();
  await Promise.race([following, sleep(2000)]);
  return {
    dnsName,
    credentials,
    setDelay: (ms) => void (delay = ms),
    async weights() {
      const answer = await ask('DescribeRules', { ListenerArn: listener });
      const path = [
        'DescribeRulesResponse',
        'DescribeRulesResult',
        'Rules',
        'member',
        'Actions',
        'member',
        'ForwardConfig',
      ];
      const found = allAt(answer, ...path, 'TargetGroups', 'member').map((one) => {
        const [name = ''] = [...groups].find(([, group]) => group === xmlText(one, 'TargetGroupArn')) ?? [];
        return [name, Number(xmlText(one, 'Weight'))] as const;
      });
      return Object.fromEntries(found);
    },
    async stop() {
      ended.abort();
      await following;
    },
  };
}
