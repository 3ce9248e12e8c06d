import { GUID } from '../../com/guid.ts';
import {
  type NTSTATUS,
  NtError,
  ntStatusName,
  ntSuccess,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_NO_MATCH,
} from '../../kernel/index.ts';
import {
  dataFormatWithinRange,
  decodeDataFormat,
  decodeDataRanges,
  encodeDataRanges,
  isAudioDataRange,
  KSDATAFORMAT_SPECIFIER_DSOUND,
  KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
  KSDATAFORMAT_SPECIFIER_WILDCARD,
  type KSDATARANGE,
  type KSDATARANGE_AUDIO,
  KSPIN_COMMUNICATION_BRIDGE,
  KSPIN_COMMUNICATION_NONE,
  KSPROPERTY_PIN_CATEGORY,
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_PIN_COMMUNICATION,
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_PIN_DATAFLOW,
  KSPROPERTY_PIN_DATAINTERSECTION,
  KSPROPERTY_PIN_DATARANGES,
  KSPROPERTY_PIN_INTERFACES,
  KSPROPERTY_PIN_MEDIUMS,
  KSPROPERTY_PIN_NECESSARYINSTANCES,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Pin,
  waveFormatOf,
} from '../../ks/index.ts';
import { encodeProperty, type KsObject, ulongAt } from '../requests/ks-object.ts';
import type { CheckList } from './failure.ts';

/** The rules about pin factories, data ranges and intersection (PIN, RNG, ISX), asked of an open filter. Opens no pin. */
export function checkPins(list: CheckList, reference: string, filter: KsObject): void {
  const count = ulongAt(filter.get(KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, 4));
  for (const id of PIN_PROPERTIES) {
    for (const bad of [count, 0xffffffff]) {
      const status = tryPin(filter, id, bad, new Uint8Array(1024)).status;
      list.must(
        'PIN-002',
        reference,
        !ntSuccess(status),
        `property ${id} of pin ${bad}, which does not exist, succeeds`,
      );
    }
  }
  for (let pin = 0; pin < count; pin++) checkPin(list, `${reference}, pin ${pin}`, filter, pin);
}

const PIN_PROPERTIES = [
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_PIN_DATAFLOW,
  KSPROPERTY_PIN_DATARANGES,
  KSPROPERTY_PIN_INTERFACES,
  KSPROPERTY_PIN_MEDIUMS,
  KSPROPERTY_PIN_COMMUNICATION,
  KSPROPERTY_PIN_CATEGORY,
  KSPROPERTY_PIN_NECESSARYINSTANCES,
] as const;

function tryPin(
  filter: KsObject,
  id: number,
  pin: number,
  output: Uint8Array | null,
  more?: Uint8Array,
): { readonly status: NTSTATUS; readonly information: number } {
  return filter.tryControl(encodeProperty(KSPROPSETID_Pin, id, KSPROPERTY_TYPE_GET, [pin, 0], more), output);
}

function checkPin(list: CheckList, where: string, filter: KsObject, pin: number): void {
  const get = (id: number, size?: number) => filter.getPin(KSPROPSETID_Pin, id, pin, size);
  const flow = ulongAt(get(KSPROPERTY_PIN_DATAFLOW, 4));
  list.must('PIN-003', where, flow === 1 || flow === 2, `data flow ${flow}`);
  const communication = ulongAt(get(KSPROPERTY_PIN_COMMUNICATION, 4));
  const isBridge = communication === KSPIN_COMMUNICATION_NONE || communication === KSPIN_COMMUNICATION_BRIDGE;
  list.must('PIN-004', where, communication <= KSPIN_COMMUNICATION_BRIDGE, `communication ${communication}`);
  const possible = ulongAt(get(KSPROPERTY_PIN_CINSTANCES, 8));
  const necessary = ulongAt(get(KSPROPERTY_PIN_NECESSARYINSTANCES, 4));
  if (isBridge)
    list.must(
      'PIN-005',
      where,
      possible === 0,
      `it stands for wiring, but ${possible} instances are possible`,
    );
  else list.must('PIN-011', where, possible > 0, 'it can be streamed through, but no instance is possible');
  list.must(
    'PIN-009',
    where,
    necessary <= possible,
    `${necessary} instances necessary, ${possible} possible`,
  );
  list.must('PIN-016', where, get(KSPROPERTY_PIN_MEDIUMS).byteLength > 8, 'it has no medium');
  list.must('PIN-017', where, get(KSPROPERTY_PIN_INTERFACES).byteLength > 8, 'it has no interface');
  checkRanges(list, where, filter, pin, isBridge);
}

function checkRanges(list: CheckList, where: string, filter: KsObject, pin: number, isBridge: boolean): void {
  const bytes = filter.getPin(KSPROPSETID_Pin, KSPROPERTY_PIN_DATARANGES, pin);
  list.must(
    'RNG-001',
    where,
    ulongAt(bytes) === bytes.byteLength,
    `the list says ${ulongAt(bytes)} bytes, it has ${bytes.byteLength}`,
  );
  list.must('RNG-001', where, bytes.byteLength % 8 === 0, 'the list is no multiple of 8 bytes');
  let ranges: readonly KSDATARANGE[];
  try {
    ranges = decodeDataRanges(bytes);
  } catch (error) {
    if (!(error instanceof NtError)) throw error;
    list.must('RNG-002', where, false, `the data ranges cannot be read: ${error.message}`);
    return;
  }
  list.must('RNG-001', where, ranges.length > 0, 'it has no data range');
  for (const [index, range] of ranges.entries()) {
    const text = `${where}, range ${index}`;
    const wild = [range.majorFormat, range.subFormat, range.specifier].some((guid) =>
      guid.equals(KSDATAFORMAT_SPECIFIER_WILDCARD),
    );
    list.should('RNG-004', text, !wild, 'wildcards are for clients');
    if (isBridge) {
      list.should(
        'RNG-018',
        text,
        !isAudioDataRange(range),
        'a pin that stands for wiring has no bounds of wave formats',
      );
      continue;
    }
    if (!isAudioDataRange(range)) continue;
    checkAudioRange(list, text, ranges, range);
    checkIntersection(list, text, filter, pin, range);
  }
}

function checkAudioRange(
  list: CheckList,
  where: string,
  ranges: readonly KSDATARANGE[],
  range: KSDATARANGE_AUDIO,
): void {
  list.must(
    'RNG-003',
    where,
    range.minimumSampleFrequency <= range.maximumSampleFrequency,
    'the lowest rate is above the highest',
  );
  list.must(
    'RNG-003',
    where,
    range.minimumBitsPerSample <= range.maximumBitsPerSample,
    'the fewest bits are more than the most',
  );
  list.must('RNG-003', where, range.maximumChannels > 0, 'it has no channels');
  if (!range.specifier.equals(KSDATAFORMAT_SPECIFIER_WAVEFORMATEX)) return;
  const has = ranges.some(
    (other) =>
      other.specifier.equals(KSDATAFORMAT_SPECIFIER_DSOUND) && other.subFormat.equals(range.subFormat),
  );
  list.must('RNG-005', where, has, 'no range for DirectSound goes with it');
}

const GUARD = 0xa5;

/** A range intersected with itself, with nothing, and into buffers of all sizes. */
function checkIntersection(
  list: CheckList,
  where: string,
  filter: KsObject,
  pin: number,
  range: KSDATARANGE_AUDIO,
): void {
  const intersect = (ranges: readonly KSDATARANGE[], output: Uint8Array | null) =>
    tryPin(filter, KSPROPERTY_PIN_DATAINTERSECTION, pin, output, encodeDataRanges(ranges));
  const query = intersect([range], null);
  list.must(
    'ISX-004',
    where,
    query.status === STATUS_BUFFER_OVERFLOW,
    `a size query ends with ${ntStatusName(query.status)}`,
  );
  if (query.status !== STATUS_BUFFER_OVERFLOW) return;
  const memory = new Uint8Array(query.information + 16).fill(GUARD);
  const { status, information } = intersect([range], memory.subarray(0, query.information));
  list.must('ISX-001', where, ntSuccess(status), `intersected with itself: ${ntStatusName(status)}`);
  if (!ntSuccess(status)) return;
  list.must(
    'ISX-006',
    where,
    information === query.information,
    `${information} bytes, ${query.information} were announced`,
  );
  list.must(
    'ISX-005',
    where,
    memory.subarray(query.information).every((byte) => byte === GUARD),
    'it writes beyond the buffer',
  );
  const short = new Uint8Array(query.information).fill(GUARD);
  const shortStatus = intersect([range], short.subarray(0, query.information - 1)).status;
  list.must(
    'ISX-005',
    where,
    shortStatus === STATUS_BUFFER_TOO_SMALL,
    `a buffer one byte short gets ${ntStatusName(shortStatus)}`,
  );
  list.must(
    'ISX-005',
    where,
    short.every((byte) => byte === GUARD),
    'it writes into a buffer that is too short',
  );
  const format = decodeDataFormat(memory.subarray(0, information));
  list.must('ISX-002', where, dataFormatWithinRange(format, range), 'the result lies outside the range');
  const wave = waveFormatOf(format);
  if (wave !== null) {
    const { nChannels, wBitsPerSample, nBlockAlign, nSamplesPerSec, nAvgBytesPerSec } = wave;
    const right =
      nBlockAlign === (nChannels * wBitsPerSample) / 8 && nAvgBytesPerSec === nBlockAlign * nSamplesPerSec;
    list.must(
      'ISX-014',
      where,
      right,
      'block alignment or bytes per second do not follow from channels, bits and rate',
    );
  }
  const above = range.maximumSampleFrequency + 1;
  const disjoint = { ...range, minimumSampleFrequency: above, maximumSampleFrequency: above };
  const none = intersect([disjoint], null).status;
  list.must(
    'ISX-003',
    where,
    none === STATUS_NO_MATCH,
    `a range above the highest rate gets ${ntStatusName(none)}`,
  );
  const any = new GUID(0, 0, 0, 0);
  const wildcard = intersect([{ ...range, subFormat: any, specifier: any }], null).status;
  list.must('ISX-007', where, wildcard === STATUS_BUFFER_OVERFLOW, `wildcards get ${ntStatusName(wildcard)}`);
  const second = intersect([disjoint, range], null);
  list.must(
    'ISX-008',
    where,
    second.information === query.information,
    'a second range is not looked at when the first does not match',
  );
}
