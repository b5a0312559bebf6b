package io.minimind.springai;

import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import java.nio.file.Path;

/** The published model. */
public final class Demo {
  public static final Path FOLDER =
      Path.of("../../models/minimind-demo").toAbsolutePath().normalize();
  public static final String QUESTION = "白婶是谁？";
  public static final String ANSWER = "白婶是麦香面包房的主人，全镇的面包都是她烤的。";

  static final ChatOptions GREEDY =
      ChatOptions.defaults().withGeneration(GenerationOptions.greedy());

  private Demo() {}
}
