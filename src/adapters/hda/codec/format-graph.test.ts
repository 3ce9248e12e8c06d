import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomCodec } from '../../../../test/support/hda-random-codec.ts';
import { definitionOf, TestLink } from '../../../../test/support/hda-test-codec.ts';
import { formatCodecGraph, initialiseCodec, planCodec, readCodecGraph, readCodecSettings } from './index.ts';

describe('the widget graph as text', () => {
  test('a QEMU codec in full', () => {
    const graph = readCodecGraph(new TestLink(definitionOf('qemu-duplex')), 0);
    expect(formatCodecGraph(graph)).toBe(`codec 0: 1AF4:0022, revision 00100101
  01h audio function group: subsystem 1AF4:0022, 16 22.05 32 44.1 48 88.2 96 kHz, 16 bit
  02h DAC: 2 ch; 16 22.05 32 44.1 48 88.2 96 kHz, 16 bit; out −74 … 0 dB by 1, mute
  03h pin: 2 ch; jack green line out, association 1 sequence 0 (can out)
      ◄ 02h DAC
  04h ADC: 2 ch; 16 22.05 32 44.1 48 88.2 96 kHz, 16 bit
      ◄ 05h pin; in −74 … 0 dB by 1, mute
  05h pin: 2 ch; jack red line in, association 2 sequence 0 (can in)
`);
  });

  test('the desktop codec as the driver leaves it', () => {
    const link = new TestLink(definitionOf('desktop'), { 20: {} });
    const graph = readCodecGraph(link, 0);
    const codec = initialiseCodec(link, graph, planCodec(graph));
    codec.routeStream(0, { streamTag: 2, format: 0x17, channels: 8 });
    const revision = link.codec.revision;
    const lines = formatCodecGraph(graph, readCodecSettings(link, graph)).split('\n');
    expect(link.codec.revision).toBe(revision);
    expect(link.findings).toEqual([]);
    for (const line of [
      '  03h DAC: 2 ch, power, delay 6; 44.1 48 88.2 96 176.4 192 kHz, 16 20 24 bit; out 0 dB (−64 … 0 dB by 1); stream 2 from channel 2, D0',
      '      ◄ 18h pin; in muted (−34.5 … +12 dB by 1.5, mute)',
      '  14h pin: 2 ch, power, unsolicited; jack rear green 3.5 mm line out, association 1 sequence 0 (can out headphone presence EAPD); out 0 dB (mute only); OUT, plugged, D0',
      '  1Ch pin: 2 ch; not connected rear black 3.5 mm speaker, association 15 sequence 0 (can in); off',
    ])
      expect(lines).toContain(line);
    // The selector that begins with the line input.
    const selector = lines.findIndex((line) => line.startsWith('  23h selector'));
    expect(lines.slice(selector, selector + 4)).toEqual([
      '  23h selector: 2 ch',
      '        18h pin',
      '        19h pin',
      '      ◄ 1Ah pin',
    ]);
  });

  test('findings end the text', () => {
    const graph = readCodecGraph(new TestLink(definitionOf('hdmi')), 0);
    expect(formatCodecGraph({ ...graph, findings: ['something odd'] })).toMatch(/\n {2}! something odd\n$/);
  });

  test('any codec has a line for every widget and every connection', () => {
    fc.assert(
      fc.property(randomCodec, (definition) => {
        const link = new TestLink(definition);
        const graph = readCodecGraph(link, 0);
        const connections = definition.widgets.reduce(
          (sum, { connections: list }) => sum + (list?.length ?? 0),
          0,
        );
        const lines = formatCodecGraph(graph, readCodecSettings(link, graph)).trimEnd().split('\n');
        expect(lines).toHaveLength(2 + definition.widgets.length + connections + graph.findings.length);
        expect(link.findings).toEqual([]);
      }),
    );
  });
});
