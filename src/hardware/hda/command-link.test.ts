import { describe, expect, test } from 'vitest';
import * as R from './registers.ts';
import { HdaRig, LINK_FRAME_TICKS, RIRB_ADDRESS } from './test-rig.ts';
import * as V from './verbs.ts';

describe('CORB and RIRB (§3.3.18–3.3.31, §4.4)', () => {
  test('a command goes in one link frame, its response comes in the next', () => {
    const rig = new HdaRig().bringUp().startRings();
    rig.post(0, 0, V.GET_PARAMETER, V.PARAM_VENDOR_ID);
    expect(rig.mmio.read16(R.CORBRP)).toBe(0);
    rig.slot.clock.advanceTo(rig.nextLinkFrame);
    expect(rig.mmio.read16(R.CORBRP)).toBe(1);
    expect(rig.mmio.read16(R.RIRBWP)).toBe(0);
    rig.advance(LINK_FRAME_TICKS);
    expect(rig.responses()).toEqual([{ response: 0x1af4_0022, extended: 0 }]);
  });

  test('255 commands take 255 frames and wrap the rings', () => {
    const rig = new HdaRig().bringUp().startRings();
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 255; index++) rig.post(0, 0, V.GET_PARAMETER, V.PARAM_REVISION_ID);
      rig.advance(257 * LINK_FRAME_TICKS);
      const responses = rig.responses();
      expect(responses.length).toBe(255);
      expect(responses.every(({ response }) => response === 0x0010_0101)).toBe(true);
    }
    expect(rig.mmio.read16(R.RIRBWP)).toBe(510 & 0xff);
  });

  test('nothing is sent until CORBRUN, nor while the read pointer is in reset', () => {
    const rig = new HdaRig().bringUp().startRings();
    rig.mmio.write8(R.CORBCTL, 0);
    rig.post(0, 0, V.GET_PARAMETER, 0);
    rig.advance(10_000);
    expect(rig.mmio.read16(R.CORBRP)).toBe(0);
    rig.mmio.write16(R.CORBRP, R.RING_POINTER_RESET);
    expect(rig.mmio.read16(R.CORBRP)).toBe(0x8000);
    rig.mmio.write8(R.CORBCTL, R.CORBCTL_RUN);
    rig.advance(10_000);
    expect(rig.mmio.read16(R.CORBRP)).toBe(0x8000);
    rig.mmio.write16(R.CORBRP, 0);
    rig.advance(10_000);
    expect(rig.mmio.read16(R.CORBRP)).toBe(1);
    expect(rig.responses().length).toBe(1);
  });

  test('the response interrupt comes after RINTCNT responses, or when a frame brings none', () => {
    const rig = new HdaRig().bringUp().startRings(R.RIRBCTL_DMAEN | R.RIRBCTL_RINTCTL, 4);
    rig.mmio.write32(R.INTCTL, (R.INT_GLOBAL | R.INT_CONTROLLER) >>> 0);
    for (let index = 0; index < 6; index++) rig.post(0, 0, V.GET_PARAMETER, 0);
    const first = rig.nextLinkFrame;
    rig.advance(20 * LINK_FRAME_TICKS);
    // Sent in frames 0 … 5, answered in 1 … 6: four responses are there in frame 4; the empty frame is the 7th.
    expect(rig.slot.lineChanges.length).toBe(1);
    expect(Math.round((rig.slot.lineChanges[0]!.tick - first) / (1e7 / 48_000))).toBe(4);
    expect(rig.mmio.read8(R.RIRBSTS)).toBe(R.RIRBSTS_RINTFL);
    rig.mmio.write8(R.RIRBSTS, R.RIRBSTS_RINTFL);
    expect(rig.slot.asserted).toBe(false);
    rig.post(0, 0, V.GET_PARAMETER, 0);
    const single = rig.nextLinkFrame;
    rig.advance(20 * LINK_FRAME_TICKS);
    expect(rig.slot.asserted).toBe(true);
    expect(Math.round((rig.slot.lineChanges.at(-1)!.tick - single) / (1e7 / 48_000))).toBe(2);
  });

  test('without RINTCTL, CIE or GIE the line stays low; without RINTCTL there is no flag, either', () => {
    for (const [rirbCtl, intctl] of [
      [R.RIRBCTL_DMAEN, R.INT_GLOBAL | R.INT_CONTROLLER],
      [R.RIRBCTL_DMAEN | R.RIRBCTL_RINTCTL, R.INT_GLOBAL],
      [R.RIRBCTL_DMAEN | R.RIRBCTL_RINTCTL, R.INT_CONTROLLER],
    ] as const) {
      const rig = new HdaRig().bringUp().startRings(rirbCtl);
      rig.mmio.write32(R.INTCTL, intctl >>> 0);
      rig.post(0, 0, V.GET_PARAMETER, 0);
      rig.advance(10_000);
      expect(rig.mmio.read8(R.RIRBSTS)).toBe((rirbCtl & R.RIRBCTL_RINTCTL) !== 0 ? R.RIRBSTS_RINTFL : 0);
      expect(rig.slot.asserted).toBe(false);
    }
  });

  test('a codec that is not there does not answer', () => {
    const rig = new HdaRig().bringUp().startRings();
    rig.post(2, 0, V.GET_PARAMETER, 0);
    rig.post(0, 0, V.GET_PARAMETER, 0);
    rig.advance(10_000);
    expect(rig.responses()).toEqual([{ response: 0x1af4_0022, extended: 0 }]);
    expect(rig.slot.findings.map(({ what }) => what)).toEqual(['a command to a codec that is not there']);
  });

  test('a command that cannot be fetched is a memory error and stops the CORB', () => {
    const rig = new HdaRig().bringUp().startRings();
    rig.mmio.write8(R.CORBCTL, R.CORBCTL_CMEIE | R.CORBCTL_RUN);
    rig.mmio.write32(R.INTCTL, (R.INT_GLOBAL | R.INT_CONTROLLER) >>> 0);
    rig.slot.busMasterEnable = false;
    rig.post(0, 0, V.GET_PARAMETER, 0);
    rig.advance(10_000);
    expect(rig.mmio.read8(R.CORBSTS)).toBe(R.CORBSTS_CMEI);
    expect(rig.mmio.read8(R.CORBCTL) & R.CORBCTL_RUN).toBe(0);
    expect(rig.slot.asserted).toBe(true);
    rig.mmio.write8(R.CORBSTS, R.CORBSTS_CMEI);
    expect(rig.slot.asserted).toBe(false);
  });

  test('a response that cannot be stored is an overrun', () => {
    const rig = new HdaRig().bringUp().startRings(R.RIRBCTL_DMAEN | R.RIRBCTL_OIC);
    rig.mmio.write32(R.INTCTL, (R.INT_GLOBAL | R.INT_CONTROLLER) >>> 0);
    rig.mmio.write8(R.RIRBCTL, 0);
    rig.mmio.write32(R.RIRBLBASE, 0x4000_0000);
    rig.mmio.write8(R.RIRBCTL, R.RIRBCTL_DMAEN | R.RIRBCTL_OIC);
    rig.post(0, 0, V.GET_PARAMETER, 0);
    rig.advance(10_000);
    expect(rig.mmio.read8(R.RIRBSTS)).toBe(R.RIRBSTS_OIS);
    expect(rig.slot.asserted).toBe(true);
    expect(rig.mmio.read16(R.RIRBWP)).toBe(0);
  });

  test('the write pointer is reset by its bit, which reads 0', () => {
    const rig = new HdaRig().bringUp().startRings();
    rig.post(0, 0, V.GET_PARAMETER, 0);
    rig.advance(10_000);
    expect(rig.mmio.read16(R.RIRBWP)).toBe(1);
    rig.mmio.write16(R.RIRBWP, 5);
    expect(rig.mmio.read16(R.RIRBWP)).toBe(1);
    rig.mmio.write8(R.RIRBCTL, 0);
    rig.mmio.write16(R.RIRBWP, R.RING_POINTER_RESET);
    expect(rig.mmio.read16(R.RIRBWP)).toBe(0);
  });
});

describe('immediate commands (§3.4)', () => {
  test('busy until the response is valid; valid is cleared by a one', () => {
    const rig = new HdaRig().bringUp();
    rig.mmio.write32(R.ICOI, V.encodeHdaCommand(0, 1, V.GET_PARAMETER, V.PARAM_FUNCTION_TYPE));
    rig.mmio.write16(R.ICIS, R.ICIS_ICB);
    expect(rig.mmio.read16(R.ICIS)).toBe(R.ICIS_ICB);
    rig.advance(3 * LINK_FRAME_TICKS);
    expect(rig.mmio.read16(R.ICIS)).toBe(R.ICIS_IRV);
    expect(rig.mmio.read32(R.ICII)).toBe(1);
    rig.mmio.write16(R.ICIS, R.ICIS_IRV);
    expect(rig.mmio.read16(R.ICIS)).toBe(0);
  });

  test('stays busy when nobody answers, until software gives up', () => {
    const rig = new HdaRig().bringUp();
    rig.mmio.write32(R.ICOI, V.encodeHdaCommand(1, 0, V.GET_PARAMETER, 0));
    rig.mmio.write16(R.ICIS, R.ICIS_ICB);
    rig.advance(100_000);
    expect(rig.mmio.read16(R.ICIS)).toBe(R.ICIS_ICB);
    rig.mmio.write16(R.ICIS, 0);
    expect(rig.mmio.read16(R.ICIS)).toBe(0);
    expect(rig.parameter(0, V.PARAM_VENDOR_ID)).toBe(0x1af4_0022);
  });
});

describe('unsolicited responses (§7.3.3.14)', () => {
  const TAG = 0x15;

  function desktop(): HdaRig {
    const rig = new HdaRig({ codecs: [{ name: 'qemu-output' }, { name: 'desktop' }] }).bringUp();
    rig.startRings(R.RIRBCTL_DMAEN | R.RIRBCTL_RINTCTL);
    rig.mmio.write32(R.INTCTL, (R.INT_GLOBAL | R.INT_CONTROLLER) >>> 0);
    return rig;
  }

  test('a jack tells of plug and unplug with its tag, and interrupts', () => {
    const rig = desktop();
    rig.mmio.write32(R.GCTL, R.GCTL_CRST | R.GCTL_UNSOL);
    rig.post(1, 0x1b, V.SET_UNSOLICITED, V.UNSOLICITED_ENABLE | TAG);
    rig.advance(10_000);
    rig.responses();
    rig.mmio.write8(R.RIRBSTS, R.RIRBSTS_RINTFL);
    rig.card.plug(1, 0x1b, {});
    expect(rig.slot.asserted).toBe(false);
    rig.advance(2 * LINK_FRAME_TICKS);
    expect(rig.slot.asserted).toBe(true);
    expect(rig.responses()).toEqual([{ response: (TAG << 26) >>> 0, extended: 0x11 }]);
    expect(rig.verb(0x1b, V.GET_PIN_SENSE, 0, 1)).toBe(0x8000_0000);
    rig.card.unplug(1, 0x1b);
    rig.advance(2 * LINK_FRAME_TICKS);
    expect(rig.responses().length).toBe(1);
    expect(rig.verb(0x1b, V.GET_PIN_SENSE, 0, 1)).toBe(0);
  });

  test('are dropped without GCTL.UNSOL, and not sent without the enable', () => {
    const rig = desktop();
    rig.post(1, 0x1b, V.SET_UNSOLICITED, V.UNSOLICITED_ENABLE | TAG);
    rig.advance(10_000);
    rig.responses();
    rig.card.plug(1, 0x1b, {});
    rig.card.plug(1, 0x14, {});
    rig.advance(10_000);
    expect(rig.responses()).toEqual([]);
    rig.mmio.write32(R.GCTL, R.GCTL_CRST | R.GCTL_UNSOL);
    rig.advance(10_000);
    expect(rig.responses()).toEqual([]);
  });

  test('a display tells of presence and ELD', () => {
    const rig = new HdaRig({ codecs: [{ name: 'hdmi' }] }).bringUp().startRings();
    rig.mmio.write32(R.GCTL, R.GCTL_CRST | R.GCTL_UNSOL);
    rig.post(0, 3, V.SET_UNSOLICITED, V.UNSOLICITED_ENABLE | 1);
    rig.advance(10_000);
    rig.responses();
    rig.card.plug(0, 3, {});
    rig.advance(10_000);
    expect(rig.responses()).toEqual([{ response: 0x0400_0003, extended: 0x10 }]);
    const size = rig.verb(3, V.GET_DIP_SIZE, 8);
    const eld = Array.from({ length: size }, (_, index) => rig.verb(3, V.GET_ELD, index));
    expect(eld.every((byte) => (byte & 0x8000_0000) !== 0)).toBe(true);
    const name = eld.slice(20, 20 + (eld[4]! & 0x1f)).map((byte) => String.fromCharCode(byte & 0xff));
    expect(name.join('')).toBe('Miniport TV');
    rig.card.unplug(0, 3);
    rig.advance(10_000);
    expect(rig.responses()).toEqual([{ response: 0x0400_0000, extended: 0x10 }]);
    expect(rig.verb(3, V.GET_DIP_SIZE, 8)).toBe(0);
  });
});

test('verbs are events of the timeline, with names and meanings', () => {
  const rig = new HdaRig({}, { wantsRegisters: true }).bringUp();
  rig.slot.registers.length = 0;
  rig.verb(2, V.SET_AMP, V.AMP_SET_OUTPUT | V.AMP_SET_LEFT | 0x4a);
  rig.verb(2, V.GET_AMP, V.AMP_GET_OUTPUT | V.AMP_GET_LEFT);
  expect(rig.slot.registers.filter(({ name }) => name.startsWith('C0'))).toEqual([
    {
      name: 'C0N02.SET_AMP',
      direction: 'write',
      value: 0xa04a,
      size: 2,
      meaning: 'out left, index 0, gain 74',
    },
    { name: 'C0N02.GET_AMP', direction: 'write', value: 0xa000, size: 2, meaning: undefined },
    { name: 'C0N02.GET_AMP', direction: 'read', value: 0x4a, size: 4, meaning: undefined },
  ]);
  expect(RIRB_ADDRESS % 128).toBe(0);
});
