package io.minimind.weights;

/**
 * Floating point numbers of two bytes, as bits: IEEE 754 binary16, and the upper half of float32.
 */
public final class HalfFloats {

  private HalfFloats() {}

  /** The number that the bits of a float16 are. */
  public static float float16(short bits) {
    int sign = (bits & 0x8000) << 16;
    int exponent = bits >> 10 & 0x1F;
    int fraction = bits & 0x3FF;
    if (exponent == 0) {
      float magnitude = fraction * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    int widened = exponent == 0x1F ? 0xFF : exponent + 112;
    return Float.intBitsToFloat(sign | widened << 23 | fraction << 13);
  }

  /** The number that the bits of a bfloat16 are. */
  public static float bfloat16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /**
   * The bits of the float16 nearest to a number, of two the even one; infinity for what is too
   * large.
   */
  public static short toFloat16(float value) {
    int bits = Float.floatToIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    int magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) {
      return (short) (sign | 0x7E00);
    }
    // From halfway between 65504 and the next that would be, all is infinite.
    if (magnitude >= 0x477FF000) {
      return (short) (sign | 0x7C00);
    }
    if (magnitude < 0x38800000) {
      // Below the normal numbers all have the same distance; rint takes the even one.
      return (short) (sign | (int) Math.rint(Float.intBitsToFloat(magnitude) * 0x1p24));
    }
    int rounded = magnitude + 0xFFF + (magnitude >>> 13 & 1);
    return (short) (sign | rounded - 0x38000000 >>> 13);
  }
}
