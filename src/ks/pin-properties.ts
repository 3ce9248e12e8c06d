import { GUID, GUID_NULL } from '../com/index.ts';
import {
  type NTSTATUS,
  NtError,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MATCH,
  STATUS_NOT_FOUND,
  STATUS_NOT_SUPPORTED,
  STATUS_SUCCESS,
} from '../kernel/index.ts';
import { decodeAttributes, type KSATTRIBUTE } from './attributes.ts';
import { decodeDataFormat, encodeDataFormat, type KSDATAFORMAT, KSDATAFORMAT_SIZE } from './data-format.ts';
import { type IntersectHandler, ksPinDataIntersection } from './data-intersection.ts';
import { encodeDataRanges } from './data-range.ts';
import { KSPROPSETID_Pin } from './guids/sets.ts';
import { alignUp, viewOf } from './layout.ts';
import { bestAudioIntersection, dataFormatWithinRange } from './matching.ts';
import {
  encodeIdentifiers,
  encodePhysicalConnection,
  type KSPIN_PHYSICALCONNECTION,
} from './multiple-item.ts';
import { STANDARD_DEVIO_MEDIUM, STANDARD_STREAMING_INTERFACE } from './pin-connect.ts';
import type { KSPIN_DESCRIPTOR } from './pin-descriptor.ts';
import {
  KSPROPERTY_PIN_CATEGORY,
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_PIN_COMMUNICATION,
  KSPROPERTY_PIN_CONSTRAINEDDATARANGES,
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_PIN_DATAFLOW,
  KSPROPERTY_PIN_DATAINTERSECTION,
  KSPROPERTY_PIN_DATARANGES,
  KSPROPERTY_PIN_GLOBALCINSTANCES,
  KSPROPERTY_PIN_INTERFACES,
  KSPROPERTY_PIN_MEDIUMS,
  KSPROPERTY_PIN_MODEDATAFORMATS,
  KSPROPERTY_PIN_NAME,
  KSPROPERTY_PIN_NECESSARYINSTANCES,
  KSPROPERTY_PIN_PHYSICALCONNECTION,
  KSPROPERTY_PIN_PROPOSEDATAFORMAT,
  KSPROPERTY_PIN_PROPOSEDATAFORMAT2,
} from './property-ids.ts';
import type { KSPROPERTY_ITEM, KSPROPERTY_SET, KsHandler } from './property-item.ts';
import { type KsRequest, readUlong } from './request.ts';
import { KSPIN_CINSTANCES, type KSPIN_INTERFACE, type KSPIN_MEDIUM } from './structs.ts';

/** sizeof(KSP_PIN) */
const KSP_PIN_SIZE = 32;
const MULTIPLE_ITEM_SIZE = 8;
const GUID_SIZE = 16;

/** The interfaces of a pin: what the descriptor lists, else standard streaming. */
export function pinInterfaces(descriptor: KSPIN_DESCRIPTOR): readonly KSPIN_INTERFACE[] {
  const { interfaces } = descriptor;
  return interfaces !== undefined && interfaces.length > 0 ? interfaces : [STANDARD_STREAMING_INTERFACE];
}

/** The mediums of a pin: what the descriptor lists, else KSMEDIUM_STANDARD_DEVIO. */
export function pinMediums(descriptor: KSPIN_DESCRIPTOR): readonly KSPIN_MEDIUM[] {
  const { mediums } = descriptor;
  return mediums !== undefined && mediums.length > 0 ? mediums : [STANDARD_DEVIO_MEDIUM];
}

/** The pin factory that a KSP_PIN request names. Throws NtError STATUS_INVALID_PARAMETER when there is none of that number. */
export function pinOfRequest(request: KsRequest, descriptors: readonly KSPIN_DESCRIPTOR[]): number {
  const pinId = readUlong(request.input, 24);
  if (pinId >= descriptors.length)
    throw new NtError(STATUS_INVALID_PARAMETER, `there is no pin factory ${pinId}`);
  return pinId;
}

/** What a filter adds to its pin descriptors to answer KSPROPSETID_Pin. Every hook may throw NtError. */
export interface PinSetHooks {
  /** Instances on this filter; absent: the property is unknown. */
  readonly instances?: (pinId: number, request: KsRequest) => KSPIN_CINSTANCES;
  /** Instances on all filters; absent: the property is unknown. */
  readonly globalInstances?: (pinId: number, request: KsRequest) => KSPIN_CINSTANCES;
  /** Instances that must exist; absent: the property is unknown. */
  readonly necessaryInstances?: (pinId: number, request: KsRequest) => number;
  /** Absent: the best plain wave format that both hold. */
  readonly intersect?: IntersectHandler;
  /** Null: the pin is wired to nothing (STATUS_NOT_FOUND). Absent: the property is unknown. */
  readonly physicalConnection?: (pinId: number) => KSPIN_PHYSICALCONNECTION | null;
  /** The pin's name in words; absent: the property is unknown. `nameGuid` is the descriptor's name, else its category. */
  readonly name?: (pinId: number, nameGuid: GUID, request: KsRequest) => string;
  /** Refuses a format that no pin of the factory would take by throwing STATUS_NO_MATCH; absent: the ranges decide. */
  readonly proposeDataFormat?: (pinId: number, format: KSDATAFORMAT) => void;
  /** The format that the driver prefers; absent: not supported for reading. */
  readonly preferredDataFormat?: (pinId: number) => KSDATAFORMAT;
  /** The format that the driver prefers under these attributes (a mode); absent: the property is unknown. */
  readonly preferredDataFormat2?: (pinId: number, attributes: readonly KSATTRIBUTE[]) => KSDATAFORMAT;
  /** The formats of a signal-processing mode; absent: the property is unknown. */
  readonly modeDataFormats?: (pinId: number, mode: GUID) => readonly KSDATAFORMAT[];
}

/** The lists of one pin factory, encoded once. */
class PinAnswers {
  readonly dataRanges: Uint8Array;
  readonly constrainedDataRanges: Uint8Array;
  readonly interfaces: Uint8Array;
  readonly mediums: Uint8Array;

  constructor(descriptor: KSPIN_DESCRIPTOR) {
    const { dataRanges, constrainedDataRanges } = descriptor;
    this.dataRanges = encodeDataRanges(dataRanges);
    this.constrainedDataRanges =
      constrainedDataRanges === undefined ? this.dataRanges : encodeDataRanges(constrainedDataRanges);
    this.interfaces = encodeIdentifiers(pinInterfaces(descriptor));
    this.mediums = encodeIdentifiers(pinMediums(descriptor));
  }
}

/**
 * KSPROPSETID_Pin for a filter with these pin factories, ready for a {@link KsPropertyTable}: the static properties from the descriptors (KsPinPropertyHandler),
 * the others from hooks. Descriptors may not change afterwards.
 */
export function pinPropertySet(
  descriptors: readonly KSPIN_DESCRIPTOR[],
  hooks: PinSetHooks = {},
): KSPROPERTY_SET {
  const answers = descriptors.map((descriptor) => new PinAnswers(descriptor));
  const get = (
    propertyId: number,
    minData: number,
    handler: (pinId: number, pin: KSPIN_DESCRIPTOR, request: KsRequest) => NTSTATUS,
    minProperty = KSP_PIN_SIZE,
  ): KSPROPERTY_ITEM => ({
    propertyId,
    minProperty,
    minData,
    getPropertyHandler: (request) => {
      const pinId = pinOfRequest(request, descriptors);
      return handler(pinId, descriptors[pinId] as KSPIN_DESCRIPTOR, request);
    },
  });
  const list = (propertyId: number, which: (answer: PinAnswers) => Uint8Array) =>
    get(propertyId, 0, (pinId, _pin, request) => request.answerList(which(answers[pinId] as PinAnswers)));

  const items: KSPROPERTY_ITEM[] = [
    {
      propertyId: KSPROPERTY_PIN_CTYPES,
      minProperty: 24,
      minData: 4,
      getPropertyHandler: (request) => request.answerUlong(descriptors.length),
    },
    get(KSPROPERTY_PIN_DATAFLOW, 4, (_id, pin, request) => request.answerUlong(pin.dataFlow)),
    get(KSPROPERTY_PIN_COMMUNICATION, 4, (_id, pin, request) => request.answerUlong(pin.communication)),
    get(KSPROPERTY_PIN_CATEGORY, GUID_SIZE, (_id, pin, request) => {
      if (pin.category.equals(GUID_NULL)) throw new NtError(STATUS_NOT_FOUND, 'the pin has no category');
      return request.answerGuid(pin.category);
    }),
    list(KSPROPERTY_PIN_DATARANGES, (answer) => answer.dataRanges),
    list(KSPROPERTY_PIN_CONSTRAINEDDATARANGES, (answer) => answer.constrainedDataRanges),
    list(KSPROPERTY_PIN_INTERFACES, (answer) => answer.interfaces),
    list(KSPROPERTY_PIN_MEDIUMS, (answer) => answer.mediums),
    get(
      KSPROPERTY_PIN_DATAINTERSECTION,
      0,
      (pinId, pin, request) =>
        ksPinDataIntersection(request, pinId, pin.dataRanges, hooks.intersect ?? intersectBest),
      KSP_PIN_SIZE + MULTIPLE_ITEM_SIZE,
    ),
    proposeItem(descriptors, hooks),
  ];
  const { instances, globalInstances, necessaryInstances, physicalConnection, name } = hooks;
  if (instances !== undefined) items.push(get(KSPROPERTY_PIN_CINSTANCES, 8, answerInstances(instances)));
  if (globalInstances !== undefined) {
    items.push(get(KSPROPERTY_PIN_GLOBALCINSTANCES, 8, answerInstances(globalInstances)));
  }
  if (necessaryInstances !== undefined) {
    items.push(
      get(KSPROPERTY_PIN_NECESSARYINSTANCES, 4, (pinId, _pin, request) =>
        request.answerUlong(necessaryInstances(pinId, request)),
      ),
    );
  }
  if (physicalConnection !== undefined) {
    items.push(
      get(KSPROPERTY_PIN_PHYSICALCONNECTION, 0, (pinId, _pin, request) => {
        const connection = physicalConnection(pinId);
        if (connection === null) throw new NtError(STATUS_NOT_FOUND, `pin ${pinId} is wired to nothing`);
        return request.answer(encodePhysicalConnection(connection));
      }),
    );
  }
  if (name !== undefined) {
    items.push(
      get(KSPROPERTY_PIN_NAME, 0, (pinId, pin, request) =>
        request.answerString(name(pinId, pin.name ?? pin.category, request)),
      ),
    );
  }
  const { preferredDataFormat2, modeDataFormats } = hooks;
  if (preferredDataFormat2 !== undefined) {
    items.push(
      get(
        KSPROPERTY_PIN_PROPOSEDATAFORMAT2,
        0,
        (pinId, _pin, request) => {
          const { attributes } = decodeAttributes(request.input, KSP_PIN_SIZE);
          return request.answer(encodeDataFormat(preferredDataFormat2(pinId, attributes)));
        },
        KSP_PIN_SIZE + MULTIPLE_ITEM_SIZE,
      ),
    );
  }
  if (modeDataFormats !== undefined) {
    items.push(
      get(
        KSPROPERTY_PIN_MODEDATAFORMATS,
        0,
        (pinId, _pin, request) => {
          const mode = modeOfRequest(request);
          return request.answerList(encodeModeDataFormats(modeDataFormats(pinId, mode)));
        },
        KSP_PIN_SIZE + GUID_SIZE,
      ),
    );
  }
  return { set: KSPROPSETID_Pin, propertyItem: items };
}

function answerInstances(
  count: (pinId: number, request: KsRequest) => KSPIN_CINSTANCES,
): (pinId: number, pin: KSPIN_DESCRIPTOR, request: KsRequest) => NTSTATUS {
  return (pinId, _pin, request) => request.answer(KSPIN_CINSTANCES.encode(count(pinId, request)));
}

const intersectBest: IntersectHandler = (_pinId, clientRange, pinRange, room, data) => {
  const format = bestAudioIntersection(clientRange, pinRange);
  if (format === null) throw new NtError(STATUS_NO_MATCH);
  const bytes = encodeDataFormat(format);
  if (data !== null && bytes.byteLength <= room) data.set(bytes);
  return bytes.byteLength;
};

/** KSPROPERTY_PIN_PROPOSEDATAFORMAT: set asks whether a format would do, get tells the preferred one (page of the same name). */
function proposeItem(descriptors: readonly KSPIN_DESCRIPTOR[], hooks: PinSetHooks): KSPROPERTY_ITEM {
  const set: KsHandler = (request) => {
    const pinId = pinOfRequest(request, descriptors);
    const format = decodeDataFormat(request.value(KSDATAFORMAT_SIZE));
    if (hooks.proposeDataFormat !== undefined) hooks.proposeDataFormat(pinId, format);
    else if (!descriptors[pinId]?.dataRanges.some((range) => dataFormatWithinRange(format, range))) {
      throw new NtError(STATUS_NO_MATCH);
    }
    return STATUS_SUCCESS;
  };
  const get: KsHandler = (request) => {
    const pinId = pinOfRequest(request, descriptors);
    if (hooks.preferredDataFormat === undefined) throw new NtError(STATUS_NOT_SUPPORTED);
    return request.answer(encodeDataFormat(hooks.preferredDataFormat(pinId)));
  };
  return {
    propertyId: KSPROPERTY_PIN_PROPOSEDATAFORMAT,
    minProperty: KSP_PIN_SIZE,
    minData: 0,
    setPropertyHandler: set,
    getPropertyHandler: hooks.preferredDataFormat === undefined ? null : get,
  };
}

/** The mode behind KSP_PIN; the item's minProperty made sure of it. */
function modeOfRequest(request: KsRequest): GUID {
  return GUID.read(viewOf(request.input), KSP_PIN_SIZE);
}

/**
 * The value of KSPROPERTY_PIN_MODEDATAFORMATS: KSMULTIPLE_ITEM, then for each format a ULONGLONG with its offset from the beginning, then the formats, each on a
 * multiple of 8. (The page's prose says ULONGLONG, its example ULONG; the prose is followed.)
 */
export function encodeModeDataFormats(formats: readonly KSDATAFORMAT[]): Uint8Array {
  const encoded = formats.map(encodeDataFormat);
  const headSize = MULTIPLE_ITEM_SIZE + encoded.length * 8;
  const bytes = new Uint8Array(encoded.reduce((size, item) => size + alignUp(item.byteLength, 8), headSize));
  const view = viewOf(bytes);
  view.setUint32(0, bytes.byteLength, true);
  view.setUint32(4, encoded.length, true);
  let offset = headSize;
  encoded.forEach((item, index) => {
    view.setUint32(MULTIPLE_ITEM_SIZE + index * 8, offset, true);
    bytes.set(item, offset);
    offset += alignUp(item.byteLength, 8);
  });
  return bytes;
}

/** The inverse. Throws NtError STATUS_BUFFER_TOO_SMALL or STATUS_INVALID_PARAMETER for a list that contradicts itself. */
export function decodeModeDataFormats(bytes: Uint8Array): readonly KSDATAFORMAT[] {
  if (bytes.byteLength < MULTIPLE_ITEM_SIZE) throw new NtError(STATUS_BUFFER_TOO_SMALL);
  const view = viewOf(bytes);
  const size = view.getUint32(0, true);
  const count = view.getUint32(4, true);
  if (size > bytes.byteLength) throw new NtError(STATUS_BUFFER_TOO_SMALL);
  if (size < MULTIPLE_ITEM_SIZE + count * 8) throw new NtError(STATUS_INVALID_PARAMETER);
  const list = bytes.subarray(0, size);
  return Array.from({ length: count }, (_, index) =>
    decodeDataFormat(list, view.getUint32(MULTIPLE_ITEM_SIZE + index * 8, true)),
  );
}
