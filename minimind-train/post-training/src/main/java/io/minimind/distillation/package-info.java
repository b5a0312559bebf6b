/**
 * Learning from a larger model: a task like any other, with its objective, and the teacher beside
 * the student or asked beforehand. Whoever trains needs {@link
 * io.minimind.distillation.Distillation} alone.
 */
package io.minimind.distillation;
