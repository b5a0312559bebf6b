package io.minimind.verify;

import io.minimind.artifact.OptimizerSettings;
import io.minimind.files.ArgumentException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the descriptions of the optimizers that references used. */
final class Adam {

  private static final Pattern ADAM =
      Pattern.compile("Adam betas=([^,]+),(\\S+) eps=([^\\s,]+)(?: weight_decay=0|, no clipping)");

  private Adam() {}

  /**
   * @throws IllegalArgumentException if the optimizer is another than Adam
   */
  static OptimizerSettings of(String description, float maxGradientNorm) {
    Matcher adam = ADAM.matcher(description);
    if (!adam.matches()) {
      throw new ArgumentException(
          "The reference used the optimizer \"%s\", but only one like \"%s\" can be repeated."
              .formatted(description, "Adam betas=0.9,0.999 eps=1e-8 weight_decay=0"));
    }
    return new OptimizerSettings(
        Float.parseFloat(adam.group(1)),
        Float.parseFloat(adam.group(2)),
        Float.parseFloat(adam.group(3)),
        0,
        maxGradientNorm);
  }
}
