import { describe, expect, test } from 'vitest';
import { Recorder } from './recorder.ts';

describe('the recorder at a model’s output', () => {
  test('keeps 16-bit blocks at its rate and drops others', () => {
    const recorder = new Recorder(48_000);
    recorder.write(Int16Array.of(1, 2, 3, 4, 99), 2, { sampleRate: 48_000, channels: 2 });
    recorder.write(Int16Array.of(5, 6), 1, { sampleRate: 44_100, channels: 2 });
    recorder.write(Int16Array.of(7, 8), 1, { sampleRate: 48_000, channels: 2 });
    expect(recorder.recording).toEqual({
      sampleRate: 48_000,
      channels: 2,
      samples: Int16Array.of(1, 2, 3, 4, 7, 8),
    });
    expect(recorder.wideRecording).toEqual(recorder.recording);
  });

  test('keeps wider samples whole, beside their upper 16 bits', () => {
    const recorder = new Recorder(96_000);
    recorder.write(Int32Array.of(0x1234_5678, -0x1234_5678), 1, { sampleRate: 96_000, channels: 2 });
    recorder.write(Int32Array.of(0x7fff_ff00, 0), 1, { sampleRate: 96_000, channels: 2 });
    expect(recorder.wideRecording.samples).toEqual(Int32Array.of(0x1234_5678, -0x1234_5678, 0x7fff_ff00, 0));
    expect(recorder.recording.samples).toEqual(Int16Array.of(0x1234, -0x1235, 0x7fff, 0));
  });

  test('floating point saturates at 16 bits and stays as it is besides', () => {
    const recorder = new Recorder(48_000);
    recorder.write(Float32Array.of(0.5, -1.5), 1, { sampleRate: 48_000, channels: 2 });
    expect(recorder.wideRecording.samples).toEqual(Float32Array.of(0.5, -1.5));
    expect(recorder.recording.samples).toEqual(Int16Array.of(16_384, -32_768));
  });

  test('holds samples of other rates when told to', () => {
    const recorder = new Recorder(44_100, 'held');
    recorder.write(Int16Array.of(1, 2, 3), 3, { sampleRate: 22_050, channels: 1 });
    expect([...recorder.recording.samples]).toEqual([1, 1, 2, 2, 3, 3]);
  });
});
