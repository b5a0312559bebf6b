package io.minimind.verify;

import io.minimind.runtime.Device;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * Recomputes reference numbers: logits, gradients, loss curves, generated tokens, token ids, chat
 * templates, a trained vocabulary.
 *
 * @param golden the folder of the reference numbers
 * @param data the folder of the texts that they were computed from
 * @param tokenizer the folder of the tokenizer that they were computed with
 * @param device to train on, where a case trains
 */
public record Verification(Path golden, Path data, Path tokenizer, Device device) {

  /**
   * Recomputes all cases, one after the other.
   *
   * @param report is told of each as soon as it is known
   * @throws IOException if a file is missing or damaged
   */
  public void run(Consumer<Case> report) throws IOException {
    GoldenFolder references = GoldenFolder.open(golden);
    if (references.has("head_dense")) {
      thirdVersion(references, report);
    } else {
      firstVersion(references, report);
    }
    references.unread().forEach(report);
  }

  private void firstVersion(GoldenFolder references, Consumer<Case> report) throws IOException {
    TokenizerCases.of(references, Tokenizer.load(tokenizer)).forEach(report);
    TemplateCases.of(references).forEach(report);
    EncodingCases.of(references, data, tokenizer).forEach(report);
    GenerationCases.of(references).forEach(report);
    TrainedTokenizerCases.of(references, data).forEach(report);
    TrainingCases.of(references, "dense", device).forEach(report);
    TrainingCases.of(references, "dense_accumulation", device).forEach(report);
    TrainingCases.of(references, "moe", device).forEach(report);
    RoutingCases.of(references).forEach(report);
    PreferenceCases.of(references, device).forEach(report);
  }

  private void thirdVersion(GoldenFolder references, Consumer<Case> report) throws IOException {
    HeadTextCases.of(references, references.folder("tokenizer")).forEach(report);
    HeadStartCases.of(references).forEach(report);
    HeadGenerationCases.generated(references).forEach(report);
    HeadGenerationCases.scaled(references).forEach(report);
    HeadTrainingCases.of(references, "head_dense", device).forEach(report);
    HeadTrainingCases.of(references, "head_dense_accumulation", device).forEach(report);
    for (String mixture : List.of("head_moe_top1", "head_moe_top2")) {
      HeadTrainingCases.of(references, mixture, device).forEach(report);
      HeadRoutingCases.of(references, mixture).forEach(report);
    }
    HeadDpoCases.of(references, references.folder("tokenizer"), device).forEach(report);
    for (String student : List.of("head_distill", "head_distill_moe_student")) {
      HeadDistillCases.of(references, student, device).forEach(report);
    }
    for (String variant : List.of("head_grpo", "head_cispo")) {
      HeadPolicyCases.of(references, variant, device).forEach(report);
    }
    HeadActorCriticCases.of(references, device).forEach(report);
    HeadRewardCases.of(references).forEach(report);
  }
}
