package io.minimind.weights.gguf;

import io.minimind.weights.HalfFloats;
import io.minimind.weights.NumberType;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * How GGUF keeps the elements of a tensor: as numbers, or in blocks along the last dimension that
 * share scales. {@code d} and {@code m} are float16; what a block gives is written at each type.
 */
public enum GgufType {
  F32(0, NumberType.FLOAT32),
  F16(1, NumberType.FLOAT16),
  /** 32 elements: {@code d}, then 4 bits each, those of the second half above; (q − 8)·d. */
  Q4_0(2, 32, 18) {
    @Override
    void decode(ByteBuffer in, int at, float[] out) {
      float scale = half(in, at);
      for (int i = 0; i < 16; i++) {
        int pair = in.get(at + 2 + i);
        out[i] = ((pair & 15) - 8) * scale;
        out[i + 16] = ((pair >> 4 & 15) - 8) * scale;
      }
    }
  },
  /** As {@link #Q4_0} with {@code m} after {@code d}; q·d + m. */
  Q4_1(3, 32, 20) {
    @Override
    void decode(ByteBuffer in, int at, float[] out) {
      float scale = half(in, at);
      float minimum = half(in, at + 2);
      for (int i = 0; i < 16; i++) {
        int pair = in.get(at + 4 + i);
        out[i] = (pair & 15) * scale + minimum;
        out[i + 16] = (pair >> 4 & 15) * scale + minimum;
      }
    }
  },
  /** As {@link #Q4_0} with the fifth bits of all elements after {@code d}; (q − 16)·d. */
  Q5_0(6, 32, 22) {
    @Override
    void decode(ByteBuffer in, int at, float[] out) {
      float scale = half(in, at);
      int fifth = in.getInt(at + 2);
      for (int i = 0; i < 16; i++) {
        int pair = in.get(at + 6 + i);
        out[i] = ((pair & 15 | (fifth >> i & 1) << 4) - 16) * scale;
        out[i + 16] = ((pair >> 4 & 15 | (fifth >> i + 16 & 1) << 4) - 16) * scale;
      }
    }
  },
  /** As {@link #Q5_0} with {@code m} after {@code d}; q·d + m. */
  Q5_1(7, 32, 24) {
    @Override
    void decode(ByteBuffer in, int at, float[] out) {
      float scale = half(in, at);
      float minimum = half(in, at + 2);
      int fifth = in.getInt(at + 4);
      for (int i = 0; i < 16; i++) {
        int pair = in.get(at + 8 + i);
        out[i] = (pair & 15 | (fifth >> i & 1) << 4) * scale + minimum;
        out[i + 16] = (pair >> 4 & 15 | (fifth >> i + 16 & 1) << 4) * scale + minimum;
      }
    }
  },
  /** 32 elements: {@code d}, then a signed byte each; q·d. */
  Q8_0(8, 32, 34) {
    @Override
    void decode(ByteBuffer in, int at, float[] out) {
      float scale = half(in, at);
      for (int i = 0; i < 32; i++) {
        out[i] = in.get(at + 2 + i) * scale;
      }
    }
  },
  /**
   * 256 elements in 8 groups: {@code d}, {@code m}, 6 bits of scale and of minimum for each group
   * in 12 bytes, then 4 bits each; q·d·scale − m·minimum.
   */
  Q4_K(12, 256, 144) {
    @Override
    void decode(ByteBuffer in, int at, float[] out) {
      for (int group = 0; group < 8; group++) {
        float scale = half(in, at) * groupScale(in, at + 4, group);
        float minimum = half(in, at + 2) * groupMinimum(in, at + 4, group);
        for (int i = 0; i < 32; i++) {
          int value = in.get(at + 16 + group / 2 * 32 + i) >> group % 2 * 4 & 15;
          out[group * 32 + i] = value * scale - minimum;
        }
      }
    }
  },
  /** As {@link #Q4_K} with the fifth bits of all elements before the others. */
  Q5_K(13, 256, 176) {
    @Override
    void decode(ByteBuffer in, int at, float[] out) {
      for (int group = 0; group < 8; group++) {
        float scale = half(in, at) * groupScale(in, at + 4, group);
        float minimum = half(in, at + 2) * groupMinimum(in, at + 4, group);
        for (int i = 0; i < 32; i++) {
          int low = in.get(at + 48 + group / 2 * 32 + i) >> group % 2 * 4 & 15;
          int fifth = in.get(at + 16 + i) >> group & 1;
          out[group * 32 + i] = (low | fifth << 4) * scale - minimum;
        }
      }
    }
  },
  /**
   * 256 elements in 16 groups: the lower 4 bits of each in 128 bytes, the upper 2 in 64, a signed
   * scale for each group, and {@code d} at the end; (q − 32)·d·scale.
   */
  Q6_K(14, 256, 210) {
    @Override
    void decode(ByteBuffer in, int at, float[] out) {
      float whole = half(in, at + 208);
      for (int i = 0; i < 256; i++) {
        int within = i % 128;
        int low = in.get(at + i / 128 * 64 + within % 64) >> within / 64 * 4 & 15;
        int high = in.get(at + 128 + i / 128 * 32 + within % 32) >> within / 32 * 2 & 3;
        out[i] = ((low | high << 4) - 32) * (whole * in.get(at + 192 + i / 16));
      }
    }
  },
  I8(24, NumberType.INT8),
  I16(25, NumberType.INT16),
  I32(26, NumberType.INT32),
  I64(27, NumberType.INT64),
  F64(28, NumberType.FLOAT64),
  BF16(30, NumberType.BFLOAT16);

  private final int code;
  private final int blockElements;
  private final int blockBytes;
  private final Optional<NumberType> number;

  GgufType(int code, NumberType number) {
    this.code = code;
    this.blockElements = 1;
    this.blockBytes = number.bytes();
    this.number = Optional.of(number);
  }

  GgufType(int code, int blockElements, int blockBytes) {
    this.code = code;
    this.blockElements = blockElements;
    this.blockBytes = blockBytes;
    this.number = Optional.empty();
  }

  /** The type of this number in a file, if it is one of these. */
  static Optional<GgufType> of(int code) {
    return Arrays.stream(values()).filter(type -> type.code == code).findFirst();
  }

  /** The number of this type in a file. */
  int code() {
    return code;
  }

  /** How many elements share a block. */
  public int blockElements() {
    return blockElements;
  }

  /** How many bytes a block has. */
  public int blockBytes() {
    return blockBytes;
  }

  /** What the elements are if they are kept as numbers. */
  Optional<NumberType> number() {
    return number;
  }

  /**
   * The elements of a block.
   *
   * @param in little-endian
   * @param at where the block begins
   */
  void decode(ByteBuffer in, int at, float[] out) {
    out[0] = number.orElseThrow().get(in, at);
  }

  private static float half(ByteBuffer in, int at) {
    return HalfFloats.float16(in.getShort(at));
  }

  /** 6 bits: the first four groups' in the first four bytes, the others' in what is left over. */
  private static int groupScale(ByteBuffer in, int at, int group) {
    return group < 4
        ? in.get(at + group) & 63
        : in.get(at + group + 4) & 15 | (in.get(at + group - 4) >> 6 & 3) << 4;
  }

  private static int groupMinimum(ByteBuffer in, int at, int group) {
    return group < 4
        ? in.get(at + group + 4) & 63
        : in.get(at + group + 4) >> 4 & 15 | (in.get(at + group) >> 6 & 3) << 4;
  }
}
