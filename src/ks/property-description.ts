import { GUID_NULL } from '../com/index.ts';
import { NtError, STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER } from '../kernel/index.ts';
import {
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
  KSPROPERTY_MEMBER_RANGES,
  KSPROPERTY_MEMBER_STEPPEDRANGES,
  KSPROPERTY_MEMBER_VALUES,
  VT_BOOL,
} from './constants.ts';
import { KSPROPTYPESETID_General } from './guids/sets.ts';
import { viewOf } from './layout.ts';
import {
  type KSIDENTIFIER,
  KSPROPERTY_BOUNDS_LONG,
  KSPROPERTY_DESCRIPTION,
  KSPROPERTY_MEMBERSHEADER,
  KSPROPERTY_STEPPING_LONG,
} from './structs.ts';

/** A list of values or ranges, with its head; `members` are membersCount × membersSize bytes (DDI page KSPROPERTY_MEMBERSLIST). */
export interface KSPROPERTY_MEMBERSLIST {
  readonly membersHeader: KSPROPERTY_MEMBERSHEADER;
  readonly members: Uint8Array;
}

/** Type and values of a property (DDI page KSPROPERTY_VALUES). */
export interface KSPROPERTY_VALUES {
  readonly propTypeSet: KSIDENTIFIER;
  readonly membersList: readonly KSPROPERTY_MEMBERSLIST[];
}

/** KSPROPTYPESETID_General and a VT_*. */
export function generalType(variantType: number): KSIDENTIFIER {
  return { set: KSPROPTYPESETID_General, id: variantType, flags: 0 };
}

const NO_TYPE: KSIDENTIFIER = { set: GUID_NULL, id: 0, flags: 0 };

/** Ranges with steps, one entry a channel with the multichannel flag. */
export function steppedRanges(
  ranges: readonly KSPROPERTY_STEPPING_LONG[],
  flags = 0,
): KSPROPERTY_MEMBERSLIST {
  const { size } = KSPROPERTY_STEPPING_LONG;
  const members = new Uint8Array(size * ranges.length);
  ranges.forEach((range, index) => {
    KSPROPERTY_STEPPING_LONG.encodeInto(range, members, index * size);
  });
  return {
    membersHeader: {
      membersFlags: KSPROPERTY_MEMBER_STEPPEDRANGES,
      membersSize: size,
      membersCount: ranges.length,
      flags,
    },
    members,
  };
}

/** Ranges without steps. */
export function boundedRanges(ranges: readonly KSPROPERTY_BOUNDS_LONG[], flags = 0): KSPROPERTY_MEMBERSLIST {
  const { size } = KSPROPERTY_BOUNDS_LONG;
  const members = new Uint8Array(size * ranges.length);
  ranges.forEach((range, index) => {
    KSPROPERTY_BOUNDS_LONG.encodeInto(range, members, index * size);
  });
  return {
    membersHeader: {
      membersFlags: KSPROPERTY_MEMBER_RANGES,
      membersSize: size,
      membersCount: ranges.length,
      flags,
    },
    members,
  };
}

/** Single LONG values: legal ones, or with KSPROPERTY_MEMBER_FLAG_DEFAULT the default. */
export function longValues(values: readonly number[], flags = 0): KSPROPERTY_MEMBERSLIST {
  const members = new Uint8Array(4 * values.length);
  const view = viewOf(members);
  values.forEach((value, index) => {
    view.setInt32(index * 4, value, true);
  });
  return {
    membersHeader: {
      membersFlags: KSPROPERTY_MEMBER_VALUES,
      membersSize: 4,
      membersCount: values.length,
      flags,
    },
    members,
  };
}

/** What a BOOL property of `channels` channels says of itself: 0…1 in steps of 1 (audio docs, "Exposing Multichannel Nodes"). */
export function boolValues(channels = 1): KSPROPERTY_VALUES {
  const range = { steppingDelta: 1, bounds: { signedMinimum: 0, signedMaximum: 1 } };
  return {
    propTypeSet: generalType(VT_BOOL),
    membersList: [
      steppedRanges(
        Array.from({ length: channels }, () => range),
        channels > 1 ? KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL : 0,
      ),
    ],
  };
}

/** KSPROPERTY_DESCRIPTION and the members lists behind it. */
export function encodePropertyDescription(
  accessFlags: number,
  values: KSPROPERTY_VALUES | undefined,
): Uint8Array {
  const lists = values?.membersList ?? [];
  let size = KSPROPERTY_DESCRIPTION.size;
  for (const { members } of lists) size += KSPROPERTY_MEMBERSHEADER.size + members.byteLength;
  const bytes = new Uint8Array(size);
  KSPROPERTY_DESCRIPTION.encodeInto(
    {
      accessFlags,
      descriptionSize: size,
      propTypeSet: values?.propTypeSet ?? NO_TYPE,
      membersListCount: lists.length,
    },
    bytes,
  );
  let offset = KSPROPERTY_DESCRIPTION.size;
  for (const { membersHeader, members } of lists) {
    KSPROPERTY_MEMBERSHEADER.encodeInto(membersHeader, bytes, offset);
    offset += KSPROPERTY_MEMBERSHEADER.size;
    bytes.set(members, offset);
    offset += members.byteLength;
  }
  return bytes;
}

/** An answer to basic support as clients read it: access flags always, type and members as far as the bytes go. */
export interface PropertySupport {
  readonly accessFlags: number;
  /** Null when only the access flags came. */
  readonly propTypeSet: KSIDENTIFIER | null;
  readonly membersList: readonly KSPROPERTY_MEMBERSLIST[];
}

/**
 * Takes an answer apart. Throws NtError STATUS_BUFFER_TOO_SMALL for less than 4 bytes, STATUS_INVALID_PARAMETER when the members do not fit
 * into DescriptionSize. An answer that was cut after the head gives no members.
 */
export function decodePropertyDescription(bytes: Uint8Array): PropertySupport {
  if (bytes.byteLength < 4) throw new NtError(STATUS_BUFFER_TOO_SMALL);
  if (bytes.byteLength < KSPROPERTY_DESCRIPTION.size) {
    return { accessFlags: viewOf(bytes).getUint32(0, true), propTypeSet: null, membersList: [] };
  }
  const head = KSPROPERTY_DESCRIPTION.decode(bytes);
  const { accessFlags, propTypeSet, descriptionSize, membersListCount } = head;
  if (descriptionSize > bytes.byteLength) return { accessFlags, propTypeSet, membersList: [] };
  const membersList: KSPROPERTY_MEMBERSLIST[] = [];
  let offset = KSPROPERTY_DESCRIPTION.size;
  for (let list = 0; list < membersListCount; list++) {
    if (offset + KSPROPERTY_MEMBERSHEADER.size > descriptionSize) {
      throw new NtError(STATUS_INVALID_PARAMETER, `members list ${list} lies outside the description`);
    }
    const membersHeader = KSPROPERTY_MEMBERSHEADER.decode(bytes, offset);
    offset += KSPROPERTY_MEMBERSHEADER.size;
    const length = membersHeader.membersSize * membersHeader.membersCount;
    if (offset + length > descriptionSize) {
      throw new NtError(STATUS_INVALID_PARAMETER, `the members of list ${list} lie outside the description`);
    }
    membersList.push({ membersHeader, members: bytes.slice(offset, offset + length) });
    offset += length;
  }
  return { accessFlags, propTypeSet, membersList };
}

/** The ranges of a stepped list of LONGs; empty for lists of another kind. */
export function steppedRangesOf({
  membersHeader,
  members,
}: KSPROPERTY_MEMBERSLIST): readonly KSPROPERTY_STEPPING_LONG[] {
  if (membersHeader.membersFlags !== KSPROPERTY_MEMBER_STEPPEDRANGES) return [];
  if (membersHeader.membersSize !== KSPROPERTY_STEPPING_LONG.size) return [];
  return Array.from({ length: membersHeader.membersCount }, (_, index) =>
    KSPROPERTY_STEPPING_LONG.decode(members, index * KSPROPERTY_STEPPING_LONG.size),
  );
}

/** The ranges of a list of LONG bounds; empty for lists of another kind. */
export function boundedRangesOf({
  membersHeader,
  members,
}: KSPROPERTY_MEMBERSLIST): readonly KSPROPERTY_BOUNDS_LONG[] {
  if (membersHeader.membersFlags !== KSPROPERTY_MEMBER_RANGES) return [];
  if (membersHeader.membersSize !== KSPROPERTY_BOUNDS_LONG.size) return [];
  return Array.from({ length: membersHeader.membersCount }, (_, index) =>
    KSPROPERTY_BOUNDS_LONG.decode(members, index * KSPROPERTY_BOUNDS_LONG.size),
  );
}
