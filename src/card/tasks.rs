//! The table of tasks. Each task is a function and a row; every random choice comes from the seed.
//!
//! The pass marks were derived before any optimizer was measured. They must not be changed because
//! an optimizer fails. One task, `moving`, was redesigned after its first results were known. Its
//! first version measured the remaining distance 300 steps after the jump, and AdaGrad passed. That
//! version measured speed, not loss of speed. The current version and its pass mark were written
//! down before they were run.

use super::bowl::{ill_conditioned, rotation, scale, sparse};
use super::landscape::{plateau, saddle};
use super::noisy::{moving, noise};
use super::task::CardTask;

/// All tasks.
pub const TASKS: [CardTask; 8] = [
    CardTask {
        name: "saddle",
        question: "x^2 - y^2 + y^4 / 10 from y = 1e-6: does it leave the saddle?",
        measured: "steps until |y| > 1 and the loss is below that of the saddle",
        mark: 100.0,
        mark_in_words: "at most 100 steps",
        why: "gradient descent at a tenth of its largest stable learning rate multiplies y by 1.2 \
              in each step, and 1.2^76 = 1e6",
        run: saddle,
    },
    CardTask {
        name: "plateau",
        question: "slope 1e-6 over a distance of 5, then a well of width 1; a bowl of curvature 1 \
                   in the other direction: does it reach the minimum?",
        measured: "steps until both coordinates are within 0.1 of the minimum",
        mark: 500.0,
        mark_in_words: "at most 500 steps",
        why: "500 steps of 0.01 (1 % of the well's width), whatever the slope, cover the distance \
              of 5; gradient descent at its largest stable learning rate, 2, needs 2.5 million \
              steps",
        run: plateau,
    },
    CardTask {
        name: "ill_conditioned",
        question: "curvatures from 0.01 to 100 along the axes, condition number 1e4: how much of \
                   the distance remains?",
        measured: "remaining distance after 500 steps (1 at the start)",
        mark: 1e-3,
        mark_in_words: "at most 0.001",
        why: "momentum with the best learning rate and the best mu needs sqrt(1e4) / 2 ln 1000 = \
              345 steps, gradient descent needs 35,000",
        run: ill_conditioned,
    },
    CardTask {
        name: "sparse",
        question: "10 of 12 coordinates have a gradient in 1 % of the steps, the others in every \
                   step: are the rare ones learned?",
        measured: "remaining distance after 1000 steps (1 at the start), of the worse kind",
        mark: 0.1,
        mark_in_words: "at most 0.1",
        why: "a rare coordinate (curvature 1) gets about 10 gradients, so each has to remove a \
              fifth of the distance: 0.8^10 = 0.1; the frequent ones (curvature 10) make gradient \
              descent unstable at a learning rate of 0.2",
        run: sparse,
    },
    CardTask {
        name: "noise",
        question: "a bowl of curvature 1, gradients with noise of standard deviation 1, from a \
                   distance of 3: how close to the minimum does it stay?",
        measured: "distance over steps 450 to 500, root mean square",
        mark: 0.1,
        mark_in_words: "at most 0.1",
        why: "0.1 is the standard error of a mean of 100 gradients: averaging takes a fifth of the \
              run, and the rest is for reaching the minimum",
        run: noise,
    },
    CardTask {
        name: "scale",
        question: "the loss multiplied by 1e-3 and by 1e3 at the same lr: is the path the same?",
        measured: "largest deviation in 100 steps, relative to the distance covered",
        mark: 0.05,
        mark_in_words: "at most 0.05",
        why: "eps may change the path by a few percent; a step that is proportional to the \
              gradient changes by a factor of 1000",
        run: scale,
    },
    CardTask {
        name: "moving",
        question: "the task noise at its best learning rate; after 500 steps the minimum jumps by \
                   3: is the new minimum reached as fast as the first one?",
        measured: "steps to a third of the jump / steps to a third of the distance at the start",
        mark: 2.0,
        mark_in_words: "at most 2 times",
        why: "distance and noise are the same as at the start, so a method without a long history \
              needs the same number of steps; the factor 2 allows for randomness. If the learning \
              rate falls with the sum of all squared gradients, as in AdaGrad, it is several times \
              smaller after 500 noisy gradients",
        run: moving,
    },
    CardTask {
        name: "rotation",
        question: "the task ill_conditioned with rotated axes, both at their best learning rates: \
                   are more steps needed?",
        measured: "steps per factor of 10 in distance, with rotated axes / with the original axes",
        mark: 2.0,
        mark_in_words: "at most 2 times",
        why: "a rotation-invariant method needs the same number of steps; the factor 2 allows for \
              the random rotation and the coarse grid of learning rates",
        run: rotation,
    },
];
