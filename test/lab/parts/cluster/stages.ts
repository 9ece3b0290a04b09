/** What kwok does with the objects of its node, as `Stage`s of its API (https://kwok.sigs.k8s.io/docs/user/stages-configuration/). */
interface Stage {
  readonly name: string;
  readonly kind: 'Node' | 'Pod';
  /** jq expressions and what they must give. */
  readonly when: readonly Expression[];
  readonly next: Readonly<Record<string, unknown>>;
}

interface Expression {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

const READY = '.status.conditions.[] | select(.type == "Ready") | .status';
const NOW = '{{ Now | Quote }}';
const EXITED = `terminated: { exitCode: 0, reason: Completed, startedAt: ${NOW}, finishedAt: ${NOW} }`;
/** Asked for once: each time it is asked kwok gives out another address. */
const POD_IP = '{{ $ip := PodIPWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace }}';
const NOT_DELETED: Expression = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };

/** Status templates are Go's text/template, of YAML or JSON; kwok merges what they give into the object's status. */
const stages: readonly Stage[] = [
  {
    // kwok renews the node's lease, by which the node stays ready.
    name: 'node-ready',
    kind: 'Node',
    when: [{ key: READY, operator: 'NotIn', values: ['True'] }],
    next: {
      statusTemplate: `conditions: [${condition('Ready', `reason: Simulated, lastHeartbeatTime: ${NOW}`)}]`,
    },
  },
  {
    name: 'pod-ready',
    kind: 'Pod',
    when: [NOT_DELETED, { key: '.status.phase', operator: 'In', values: ['Pending'] }],
    next: {
      statusTemplate: `${POD_IP}${status({
        phase: 'Running',
        startTime: NOW,
        podIP: '{{ $ip | Quote }}',
        podIPs: '[{ ip: {{ $ip | Quote }} }]',
        conditions: `[${['Initialized', 'ContainersReady', 'Ready'].map((type) => condition(type)).join(', ')}]`,
        initContainerStatuses: each('initContainers', container(true, EXITED)),
        containerStatuses: each('containers', container(true, `running: { startedAt: ${NOW} }`)),
      })}`,
    },
  },
  {
    name: 'job-pod-complete',
    kind: 'Pod',
    when: [
      NOT_DELETED,
      { key: '.status.phase', operator: 'In', values: ['Running'] },
      { key: '.metadata.ownerReferences.[].kind', operator: 'In', values: ['Job'] },
    ],
    next: {
      statusTemplate: status({
        phase: 'Succeeded',
        containerStatuses: each('containers', container(false, EXITED)),
      }),
    },
  },
  {
    name: 'pod-gone',
    kind: 'Pod',
    when: [{ key: '.metadata.deletionTimestamp', operator: 'Exists' }],
    next: { delete: true },
  },
];

/** A configuration file for kwok, by which its node is ready and its pods turn Ready, complete (those of Jobs) and go. */
export function kwokConfig(): string {
  const documents = stages.map(({ name, kind, when, next }) => ({
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: { resourceRef: { apiGroup: 'v1', kind }, selector: { matchExpressions: when }, next },
  }));
  return documents.map((document) => JSON.stringify(document)).join('\n---\n');
}

/** One flow mapping, which does not mind how kwok trims lines. */
function status(fields: Readonly<Record<string, string>>): string {
  const members = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return `{ ${members.join(', ')} }`;
}

function condition(type: string, more = ''): string {
  return `{ type: ${type}, status: "True", lastTransitionTime: ${NOW}, ${more} }`;
}

function each(containers: string, given: string): string {
  return `[{{ range .spec.${containers} }}${given}, {{ end }}]`;
}

function container(ready: boolean, state: string): string {
  const known = 'name: {{ .name | Quote }}, image: {{ .image | Quote }}, restartCount: 0';
  return `{ ${known}, ready: ${ready}, started: ${ready}, state: { ${state} } }`;
}
