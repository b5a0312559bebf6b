package io.minimind.weights;

import io.minimind.graph.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** How numbers lie in files, little-endian, and which float32 they are nearest to. */
public enum NumberType {
  FLOAT16(2) {
    @Override
    public float get(ByteBuffer data, int at) {
      return HalfFloats.float16(data.getShort(at));
    }
  },
  BFLOAT16(2) {
    @Override
    public float get(ByteBuffer data, int at) {
      return HalfFloats.bfloat16(data.getShort(at));
    }
  },
  FLOAT32(4) {
    @Override
    public float get(ByteBuffer data, int at) {
      return data.getFloat(at);
    }
  },
  FLOAT64(8) {
    @Override
    public float get(ByteBuffer data, int at) {
      return (float) data.getDouble(at);
    }
  },
  /** Also truth values. */
  UINT8(1) {
    @Override
    public float get(ByteBuffer data, int at) {
      return data.get(at) & 0xFF;
    }
  },
  INT8(1) {
    @Override
    public float get(ByteBuffer data, int at) {
      return data.get(at);
    }
  },
  INT16(2) {
    @Override
    public float get(ByteBuffer data, int at) {
      return data.getShort(at);
    }
  },
  INT32(4) {
    @Override
    public float get(ByteBuffer data, int at) {
      return data.getInt(at);
    }
  },
  INT64(8) {
    @Override
    public float get(ByteBuffer data, int at) {
      return data.getLong(at);
    }
  };

  private final int bytes;

  NumberType(int bytes) {
    this.bytes = bytes;
  }

  static NumberType of(ElementType type) {
    return switch (type) {
      case FLOAT16 -> FLOAT16;
      case BFLOAT16 -> BFLOAT16;
      case FLOAT32 -> FLOAT32;
      case FLOAT64 -> FLOAT64;
      case UINT8, BOOL -> UINT8;
      case INT32 -> INT32;
      case INT64 -> INT64;
    };
  }

  /** Size of one number. */
  public int bytes() {
    return bytes;
  }

  /**
   * The number at a position.
   *
   * @param data little-endian
   */
  public abstract float get(ByteBuffer data, int at);

  /** Numbers one after the other. */
  public StreamedTensor.Values values(ByteBuffer data) {
    ByteBuffer numbers = data.slice().order(ByteOrder.LITTLE_ENDIAN);
    return (first, into, offset, count) -> {
      int start = Math.toIntExact(first * bytes);
      if (this == FLOAT32) {
        numbers
            .slice(start, count * bytes)
            .order(ByteOrder.LITTLE_ENDIAN)
            .asFloatBuffer()
            .get(into, offset, count);
        return;
      }
      for (int i = 0; i < count; i++) {
        into[offset + i] = get(numbers, start + i * bytes);
      }
    };
  }
}
