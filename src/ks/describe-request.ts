import { GUID } from '../com/index.ts';
import {
  IOCTL_KS_DISABLE_EVENT,
  IOCTL_KS_ENABLE_EVENT,
  IOCTL_KS_HANDSHAKE,
  IOCTL_KS_METHOD,
  IOCTL_KS_PROPERTY,
  IOCTL_KS_READ_STREAM,
  IOCTL_KS_RESET_STATE,
  IOCTL_KS_WRITE_STREAM,
  KSPROPERTY_TYPE_TOPOLOGY,
} from './constants.ts';
import { ksEventName, ksMethodName, ksPropertyName } from './names.ts';
import { KSIDENTIFIER_SIZE, KSP_NODE_SIZE, readUlong } from './request.ts';

const CODE_NAMES: ReadonlyMap<number, string> = new Map([
  [IOCTL_KS_PROPERTY, 'IOCTL_KS_PROPERTY'],
  [IOCTL_KS_ENABLE_EVENT, 'IOCTL_KS_ENABLE_EVENT'],
  [IOCTL_KS_DISABLE_EVENT, 'IOCTL_KS_DISABLE_EVENT'],
  [IOCTL_KS_METHOD, 'IOCTL_KS_METHOD'],
  [IOCTL_KS_WRITE_STREAM, 'IOCTL_KS_WRITE_STREAM'],
  [IOCTL_KS_READ_STREAM, 'IOCTL_KS_READ_STREAM'],
  [IOCTL_KS_RESET_STATE, 'IOCTL_KS_RESET_STATE'],
  [IOCTL_KS_HANDSHAKE, 'IOCTL_KS_HANDSHAKE'],
]);

/** KSPROPERTY_TYPE_*, which methods and events share from SETSUPPORT on, in words. */
const COMMON_VERBS: ReadonlyMap<number, string> = new Map([
  [0x100, 'set support of'],
  [0x200, 'basic support of'],
]);
const PROPERTY_VERBS: ReadonlyMap<number, string> = new Map([
  ...COMMON_VERBS,
  [0x1, 'get'],
  [0x2, 'set'],
  [0x400, 'relations of'],
  [0x800, 'serialize'],
  [0x1000, 'unserialize'],
  [0x2000, 'serialize raw'],
  [0x4000, 'unserialize raw'],
  [0x8000, 'serialized size of'],
  [0x10000, 'default values of'],
]);
const EVENT_VERBS: ReadonlyMap<number, string> = new Map([
  ...COMMON_VERBS,
  [0x1, 'enable'],
  [0x2, 'enable once'],
  [0x4, 'enable buffered'],
  [0x400, 'query buffer of'],
]);
const METHOD_VERBS: ReadonlyMap<number, string> = new Map([...COMMON_VERBS, [0x1, 'call']]);

const SETS: ReadonlyMap<
  number,
  { readonly verbs: ReadonlyMap<number, string>; readonly name: (set: GUID, id: number) => string }
> = new Map([
  [IOCTL_KS_PROPERTY, { verbs: PROPERTY_VERBS, name: ksPropertyName }],
  [IOCTL_KS_ENABLE_EVENT, { verbs: EVENT_VERBS, name: ksEventName }],
  [IOCTL_KS_METHOD, { verbs: METHOD_VERBS, name: ksMethodName }],
]);

/**
 * A device control in words, for traces and reports: 'get KSPROPERTY_AUDIO_VOLUMELEVEL of node 3', 'enable KSEVENT_CONTROL_CHANGE', 'IOCTL_KS_WRITE_STREAM';
 * for codes that are none of KS's the number. Whatever the bytes, it does not fail.
 */
export function describeKsRequest(ioControlCode: number, input: Uint8Array | null): string {
  const code = CODE_NAMES.get(ioControlCode) ?? `control code 0x${ioControlCode.toString(16).toUpperCase()}`;
  const kind = SETS.get(ioControlCode);
  if (kind === undefined) return code;
  if (input === null || input.byteLength < KSIDENTIFIER_SIZE)
    return `${code} with ${input?.byteLength ?? 0} bytes`;
  const set = new GUID(readUlong(input, 0), readUlong(input, 4), readUlong(input, 8), readUlong(input, 12));
  const flags = readUlong(input, 20);
  const verb = (flags & ~KSPROPERTY_TYPE_TOPOLOGY) >>> 0;
  const hasNode = (flags & KSPROPERTY_TYPE_TOPOLOGY) !== 0;
  let node = '';
  if (hasNode)
    node =
      input.byteLength < KSP_NODE_SIZE ? ' of a node that is missing' : ` of node ${readUlong(input, 24)}`;
  return `${kind.verbs.get(verb) ?? `0x${verb.toString(16)}`} ${kind.name(set, readUlong(input, 16))}${node}`;
}
