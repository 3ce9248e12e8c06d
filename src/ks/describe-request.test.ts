import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ks from './index.ts';

describe('describeKsRequest', () => {
  it.each([
    [
      ks.IOCTL_KS_PROPERTY,
      ks.encodeKsRequest(ks.KSPROPSETID_Audio, ks.KSPROPERTY_AUDIO_VOLUMELEVEL, 1, { node: 3, channel: 0 }),
      'get KSPROPERTY_AUDIO_VOLUMELEVEL of node 3',
    ],
    [
      ks.IOCTL_KS_PROPERTY,
      ks.encodeKsRequest(ks.KSPROPSETID_Connection, 0, 2),
      'set KSPROPERTY_CONNECTION_STATE',
    ],
    [
      ks.IOCTL_KS_PROPERTY,
      ks.encodeKsRequest(ks.KSPROPSETID_Pin, 99, 0x200),
      'basic support of KSPROPSETID_Pin[99]',
    ],
    [
      ks.IOCTL_KS_ENABLE_EVENT,
      ks.encodeKsRequest(ks.KSEVENTSETID_AudioControlChange, 0, 2),
      'enable once KSEVENT_CONTROL_CHANGE',
    ],
    [ks.IOCTL_KS_METHOD, ks.encodeKsRequest(ks.KSMETHODSETID_StreamIo, 0, 1), 'call KSMETHOD_STREAMIO_READ'],
    [ks.IOCTL_KS_WRITE_STREAM, null, 'IOCTL_KS_WRITE_STREAM'],
    [ks.IOCTL_KS_PROPERTY, new Uint8Array(3), 'IOCTL_KS_PROPERTY with 3 bytes'],
    [0x1234, null, 'control code 0x1234'],
  ])('%# says what is asked', (code, input, text) => {
    expect(ks.describeKsRequest(code, input)).toBe(text);
  });

  it('says something of any bytes', () => {
    const code = fc.oneof(
      fc.constantFrom(ks.IOCTL_KS_PROPERTY, ks.IOCTL_KS_ENABLE_EVENT, ks.IOCTL_KS_METHOD),
      fc.nat(),
    );
    fc.assert(
      fc.property(code, fc.uint8Array({ maxLength: 40 }), (ioControlCode, input) => {
        expect(ks.describeKsRequest(ioControlCode, input)).not.toBe('');
      }),
    );
  });
});
